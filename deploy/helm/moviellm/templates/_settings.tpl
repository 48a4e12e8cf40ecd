{{/* What a service reads from its environment. */}}

{{/* A value as an environment variable holds it: numbers without exponent, lists and maps as JSON. */}}
{{- define "moviellm.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if or (kindIs "slice" .) (kindIs "map" .) -}}
{{- toJson . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end }}

{{- define "moviellm.storeUrl" -}}
{{- $store := .Values.store -}}
{{- if eq $store.type "pvc" -}}
file:///var/lib/moviellm
{{- else -}}
{{- $cloud := index $store $store.type -}}
{{- $bucket := required (printf "store.%s.bucket is needed for store.type %s" $store.type $store.type) $cloud.bucket -}}
{{ get (dict "s3" "s3" "gcs" "gs") $store.type }}://{{ $bucket }}{{ with $cloud.prefix }}/{{ . }}{{ end }}
{{- end -}}
{{- end }}

{{/* A service's own settings by name without prefix, as JSON; addresses and secrets are not among them.
     Arguments: root, name, service. */}}
{{- define "moviellm.ownSettings" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $own := dict "LOG_LEVEL" .service.logLevel "DRAIN_SECONDS" .service.drainSeconds -}}
{{- if eq .name "controller" -}}
{{- range $other := rest (splitList " " (include "moviellm.services" $root)) -}}
{{- $_ := set $own (upper $other) (printf "%s-%s:%s" (include "moviellm.fullname" $root) $other (include "moviellm.grpcPort" (dict "name" $other))) -}}
{{- end -}}
{{- if ne $values.model.name "pocket" }}{{ $_ := set $own "MODELS" (list $values.model.name) }}{{ end -}}
{{- with $values.llm.prices }}{{ $_ := set $own "LLM_PRICES" . }}{{ end -}}
{{- with $values.controller.kubernetes -}}
{{- if .enabled -}}
{{- $_ := set $own "KUBERNETES" true -}}
{{- $_ := set $own "KUBERNETES_LEASE" (printf "%s-controller" (include "moviellm.fullname" $root)) -}}
{{- if .allNamespaces }}{{ $_ := set $own "KUBERNETES_ALL_NAMESPACES" true }}{{ end -}}
{{- with .labels }}{{ $_ := set $own "KUBERNETES_LABELS" . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "moviellm.asksModel" . -}}
{{- $_ := set $own (eq .name "scripting" | ternary "WRITER" "ASKER") "openai" -}}
{{- $_ := set $own "LLM_BASE_URL" $values.llm.baseUrl -}}
{{- $_ := set $own "LLM_MODEL" (required "llm.model is needed with llm.enabled" $values.llm.model) -}}
{{- if $values.llm.existingSecret.name }}{{ $_ := set $own "LLM_API_KEY_FILE" "/run/secrets/moviellm/llm/api-key" }}{{ end -}}
{{- end -}}
{{- if include "moviellm.loadsModels" . -}}
{{- $_ := set $own "MODEL" $values.model.name -}}
{{- if $values.model.offline }}{{ $_ := set $own (eq .name "rendering" | ternary "OFFLINE" "LOCAL_FILES_ONLY") true }}{{ end -}}
{{- end -}}
{{- mergeOverwrite $own (deepCopy .service.settings) | toJson -}}
{{- end }}

{{/* The data of a service's ConfigMap: the store's settings, and the service's own unless they go to Ray Serve.
     Arguments: root, name, service. */}}
{{- define "moviellm.settings" -}}
{{- $root := .root -}}
{{- $store := $root.Values.store -}}
{{- $all := dict "MOVIELLM_STORE_URL" (include "moviellm.storeUrl" $root) -}}
{{- if eq $store.type "s3" -}}
{{- $_ := set $all "MOVIELLM_STORE_REGION" $store.s3.region -}}
{{- with $store.s3.endpoint }}{{ $_ := set $all "MOVIELLM_STORE_ENDPOINT" . }}{{ end -}}
{{- end -}}
{{- if not (and (eq .name "rendering") (include "moviellm.isRayService" $root)) -}}
{{- $own := include "moviellm.ownSettings" . | fromJson -}}
{{- $_ := set $own "LISTEN" (printf "0.0.0.0:%s" (include "moviellm.grpcPort" .)) -}}
{{- if include "moviellm.isInsecure" . }}{{ $_ := set $own "INSECURE" true }}{{ end -}}
{{- if include "moviellm.hasTls" $root }}{{ $_ := set $own "HEALTH_LISTEN" "0.0.0.0:8690" }}{{ end -}}
{{- $_ := set $own "METRICS_LISTEN" (printf "0.0.0.0:%s" (include "moviellm.metricsPort" .)) -}}
{{- range $name, $value := $own -}}
{{- $_ := set $all (printf "MOVIELLM_%s_%s" (upper $.name) $name) (include "moviellm.text" $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := include "moviellm.securitySettings" . | fromJson -}}
{{- $_ := set $all (printf "MOVIELLM_%s_%s" (upper $.name) $name) (include "moviellm.text" $value) -}}
{{- end -}}
{{- range $name := keys $all | sortAlpha }}
{{ $name }}: {{ get $all $name | quote }}
{{- end }}
{{- end }}

{{/* Environment of a container besides the ConfigMap: what the pod knows, and secrets. Arguments: root, name, service. */}}
{{- define "moviellm.env" -}}
{{- $values := .root.Values -}}
- name: HOME
  value: /tmp
- name: TMPDIR
  value: /tmp
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- with .nodePool | default .service.nodePool }}
- name: NODE_POOL
  value: {{ . | quote }}
{{- end }}
{{- with $values.store.s3.existingSecret }}
{{- if and .name (eq $values.store.type "s3") }}
- name: MOVIELLM_STORE_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .accessKeyIdKey }}}}
- name: MOVIELLM_STORE_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .secretAccessKeyKey }}}}
{{- end }}
{{- end }}
{{- if and (eq $values.store.type "gcs") $values.store.gcs.existingSecret.name }}
- name: GOOGLE_APPLICATION_CREDENTIALS
  value: /run/secrets/moviellm/store/key.json
{{- end }}
{{- if include "moviellm.loadsModels" . }}
- name: HF_HOME
  value: {{ $values.modelCache.mountPath }}/hub
{{- with $values.model.hubTokenSecret }}
{{- if .name }}
- name: HF_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- if $values.model.offline }}
- name: HF_HUB_OFFLINE
  value: "1"
{{- end }}
{{- end }}
{{- with $values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_SERVICE_NAME
  value: moviellm-{{ $.name }}
{{- end }}
{{- with $values.tracing.existingSecret }}
{{- if and .name $values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: {secretKeyRef: {name: {{ .name }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- with .service.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
