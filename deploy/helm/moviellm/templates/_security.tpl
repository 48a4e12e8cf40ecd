{{/* What guards calls: TLS, tokens, and where neither is needed. */}}

{{- define "moviellm.hasTls" -}}
{{- if .Values.security.tls.existingSecret.name }}true{{ end -}}
{{- end }}

{{/* Whether a server knows who calls. Arguments: root, name. */}}
{{- define "moviellm.knowsCallers" -}}
{{- $security := .root.Values.security -}}
{{- if eq .name "controller" -}}
{{- if or $security.tokens.existingSecret.name $security.oidc.issuer }}true{{ end -}}
{{- else if or $security.serviceToken.existingSecret.name (and (include "moviellm.hasTls" .root) $security.tls.mutual) -}}
true
{{- end -}}
{{- end }}

{{/* Whether a server must be told that something else guards it; fails where nothing does. Arguments: root, name. */}}
{{- define "moviellm.isInsecure" -}}
{{- $values := .root.Values -}}
{{- $security := $values.security -}}
{{- $away := and (eq .name "controller") $security.serviceToken.existingSecret.name (not (include "moviellm.hasTls" .root)) -}}
{{- if or $away (not (and (include "moviellm.hasTls" .root) (include "moviellm.knowsCallers" .))) -}}
{{- $isInside := or (ne .name "controller") (eq $values.controller.service.type "ClusterIP") -}}
{{- $isGuarded := and $values.networkPolicy.enabled $isInside -}}
{{- if or (eq $security.allowInsecure "always") (and (eq $security.allowInsecure "auto") $isGuarded) -}}
true
{{- else -}}
{{- $why := $values.networkPolicy.enabled | ternary (printf "a Service of type %s" $values.controller.service.type) "networkPolicy.enabled: false" -}}
{{- if eq $security.allowInsecure "never" }}{{ $why = "security.allowInsecure: never" }}{{ end -}}
{{- fail (printf "%s would serve without TLS or without knowing its callers, which %s does not allow: set security.tls and security.tokens or security.oidc (security.serviceToken for the other services), or security.allowInsecure: always" .name $why) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Settings of security by name without prefix, as JSON. Arguments: root, name. */}}
{{- define "moviellm.securitySettings" -}}
{{- $security := .root.Values.security -}}
{{- $tls := "/run/secrets/moviellm/tls" -}}
{{- $own := dict -}}
{{- if include "moviellm.hasTls" .root -}}
{{- $_ := set $own "TLS_CERT_FILE" (printf "%s/tls.crt" $tls) -}}
{{- $_ := set $own "TLS_KEY_FILE" (printf "%s/tls.key" $tls) -}}
{{- if eq .name "controller" -}}
{{- $_ := set $own "SERVICES_CA_FILE" (printf "%s/ca.crt" $tls) -}}
{{- $_ := set $own "SERVICES_CERT_FILE" (printf "%s/tls.crt" $tls) -}}
{{- $_ := set $own "SERVICES_KEY_FILE" (printf "%s/tls.key" $tls) -}}
{{- with $security.tls.serverName }}{{ $_ := set $own "SERVICES_SERVER_NAME" . }}{{ end -}}
{{- else if $security.tls.mutual -}}
{{- $_ := set $own "TLS_CLIENT_CA_FILE" (printf "%s/ca.crt" $tls) -}}
{{- end -}}
{{- end -}}
{{- if $security.serviceToken.existingSecret.name }}{{ $_ := set $own "SERVICE_TOKEN_FILE" "/run/secrets/moviellm/parts/token" }}{{ end -}}
{{- if eq .name "controller" -}}
{{- if $security.tokens.existingSecret.name }}{{ $_ := set $own "TOKENS_FILE" "/run/secrets/moviellm/tokens/tokens.json" }}{{ end -}}
{{- with $security.oidc -}}
{{- if .issuer -}}
{{- $_ := set $own "OIDC_ISSUER" .issuer -}}
{{- $_ := set $own "OIDC_AUDIENCE" (required "security.oidc.audience is needed with security.oidc.issuer" .audience) -}}
{{- $_ := set $own "OIDC_KEYS" (required "security.oidc.keys is needed with security.oidc.issuer" .keys) -}}
{{- $_ := set $own "OIDC_TENANT_CLAIM" .tenantClaim -}}
{{- $_ := set $own "OIDC_ROLES_CLAIM" .rolesClaim -}}
{{- end -}}
{{- end -}}
{{- with $security.quotas }}{{ $_ := set $own "QUOTAS" . }}{{ end -}}
{{- end -}}
{{- $own | toJson -}}
{{- end }}

{{/* Secrets of security as volumes. The whole folder is mounted, so that a secret's change arrives. Arguments: root, name. */}}
{{- define "moviellm.securityVolumes" -}}
{{- $security := .root.Values.security -}}
{{- with $security.tls.existingSecret }}
{{- if .name }}
- name: tls
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items:
      - {key: {{ .certificateKey }}, path: tls.crt}
      - {key: {{ .keyKey }}, path: tls.key}
      - {key: {{ .authorityKey }}, path: ca.crt}
{{- end }}
{{- end }}
{{- with $security.serviceToken.existingSecret }}
{{- if .name }}
- name: parts-token
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: token}]
{{- end }}
{{- end }}
{{- with $security.tokens.existingSecret }}
{{- if and .name (eq $.name "controller") }}
- name: tokens
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: tokens.json}]
{{- end }}
{{- end }}
{{- end }}

{{- define "moviellm.securityMounts" -}}
{{- $security := .root.Values.security -}}
{{- if $security.tls.existingSecret.name }}
- {name: tls, mountPath: /run/secrets/moviellm/tls, readOnly: true}
{{- end }}
{{- if $security.serviceToken.existingSecret.name }}
- {name: parts-token, mountPath: /run/secrets/moviellm/parts, readOnly: true}
{{- end }}
{{- if and $security.tokens.existingSecret.name (eq .name "controller") }}
- {name: tokens, mountPath: /run/secrets/moviellm/tokens, readOnly: true}
{{- end }}
{{- end }}
