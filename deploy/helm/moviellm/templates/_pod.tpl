{{/* Parts of pods. The arguments of all: root, name, service. */}}

{{- define "moviellm.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "moviellm.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Without the chart's version: an upgrade that changes nothing of a pod leaves it alone. */}}
{{- define "moviellm.podLabels" -}}
{{ include "moviellm.selector" . }}
app.kubernetes.io/part-of: moviellm
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- with .service }}
{{- with .podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* A change of the settings starts pods anew. */}}
{{- define "moviellm.podAnnotations" -}}
checksum/settings: {{ include "moviellm.settings" . | sha256sum }}
{{- with merge (dict) .service.podAnnotations .root.Values.commonAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "moviellm.pullSecrets" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where pods may run. */}}
{{- define "moviellm.placement" -}}
{{- with .service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .service.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "moviellm.spread" -}}
{{- $selector := dict "matchLabels" (include "moviellm.selector" . | fromYaml) -}}
{{- $constraints := .service.topologySpreadConstraints | default (list (dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway")) -}}
topologySpreadConstraints:
  {{- range $constraints }}
  - {{- toYaml (merge (dict) . (dict "labelSelector" $selector)) | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "moviellm.volumes" -}}
{{- $values := .root.Values -}}
- name: tmp
  emptyDir: {sizeLimit: {{ .service.scratchSize }}}
{{- if eq .name "rendering" }}
- name: shared-memory
  emptyDir: {medium: Memory, sizeLimit: {{ .service.sharedMemorySize }}}
{{- end }}
{{- if eq $values.store.type "pvc" }}
- name: store
  persistentVolumeClaim:
    claimName: {{ $values.store.pvc.existingClaim | default (printf "%s-store" (include "moviellm.fullname" .root)) }}
{{- end }}
{{- with $values.store.gcs.existingSecret }}
{{- if and .name (eq $values.store.type "gcs") }}
- name: store-key
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items: [{key: {{ .key }}, path: key.json}]
{{- end }}
{{- end }}
{{- if and (include "moviellm.asksModel" .) $values.llm.existingSecret.name }}
- name: llm-key
  secret:
    secretName: {{ $values.llm.existingSecret.name }}
    defaultMode: 0440
    items: [{key: {{ $values.llm.existingSecret.key }}, path: api-key}]
{{- end }}
{{- if include "moviellm.loadsModels" . }}
- name: models
  {{- if eq $values.modelCache.type "pvc" }}
  persistentVolumeClaim:
    claimName: {{ $values.modelCache.existingClaim | default (printf "%s-models" (include "moviellm.fullname" .root)) }}
  {{- else }}
  emptyDir: {sizeLimit: {{ eq $values.modelCache.type "emptyDir" | ternary $values.modelCache.size .service.scratchSize }}}
  {{- end }}
{{- end }}
{{- include "moviellm.securityVolumes" . }}
{{- with .service.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "moviellm.volumeMounts" -}}
{{- $values := .root.Values -}}
- {name: tmp, mountPath: /tmp}
{{- if eq .name "rendering" }}
- {name: shared-memory, mountPath: /dev/shm}
{{- end }}
{{- if eq $values.store.type "pvc" }}
- {name: store, mountPath: /var/lib/moviellm}
{{- end }}
{{- if and (eq $values.store.type "gcs") $values.store.gcs.existingSecret.name }}
- {name: store-key, mountPath: /run/secrets/moviellm/store, readOnly: true}
{{- end }}
{{- if and (include "moviellm.asksModel" .) $values.llm.existingSecret.name }}
- {name: llm-key, mountPath: /run/secrets/moviellm/llm, readOnly: true}
{{- end }}
{{- if include "moviellm.loadsModels" . }}
- {name: models, mountPath: {{ $values.modelCache.mountPath }}{{ if and $values.modelCache.readOnly (eq $values.modelCache.type "pvc") }}, readOnly: true{{ end }}}
{{- end }}
{{- include "moviellm.securityMounts" . }}
{{- with .service.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The pod template of a service that is a Deployment. */}}
{{- define "moviellm.podTemplate" -}}
metadata:
  labels:
    {{- include "moviellm.podLabels" . | nindent 4 }}
  annotations:
    {{- include "moviellm.podAnnotations" . | nindent 4 }}
spec:
  serviceAccountName: {{ include "moviellm.serviceAccountName" . }}
  automountServiceAccountToken: {{ include "moviellm.needsApiServer" . | eq "true" }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .service.preStopSeconds .service.drainSeconds 15 }}
  securityContext:
    {{- include "moviellm.podSecurity" . | nindent 4 }}
  {{- include "moviellm.pullSecrets" . | nindent 2 }}
  {{- include "moviellm.placement" . | nindent 2 }}
  {{- include "moviellm.spread" . | nindent 2 }}
  containers:
    - name: {{ .name }}
      image: {{ include "moviellm.image" (dict "root" .root "image" .service.image) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [python, -m, moviellm.{{ .name }}]
      securityContext:
        {{- include "moviellm.containerSecurity" . | nindent 8 }}
      envFrom:
        - configMapRef: {name: {{ include "moviellm.fullname" .root }}-{{ .name }}}
      env:
        {{- include "moviellm.env" . | nindent 8 }}
      ports:
        - {name: grpc, containerPort: {{ include "moviellm.grpcPort" . }}}
        - {name: metrics, containerPort: {{ include "moviellm.metricsPort" . }}}
        {{- if include "moviellm.hasTls" .root }}
        - {name: health, containerPort: 8690}
        {{- end }}
      # Health says NOT_SERVING while the store, the model or the language model is away: a reason to send calls
      # elsewhere, none to start the process anew. So only readiness asks for it.
      startupProbe:
        tcpSocket: {port: grpc}
        periodSeconds: 3
        failureThreshold: {{ div (add .service.startupSeconds 2) 3 }}
      livenessProbe:
        tcpSocket: {port: grpc}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        # Kubelets speak no TLS: with it, a port of its own answers them.
        grpc: {port: {{ include "moviellm.hasTls" .root | eq "true" | ternary "8690" (include "moviellm.grpcPort" .) }}}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- if .service.preStopSeconds }}
      lifecycle:
        preStop: {sleep: {seconds: {{ .service.preStopSeconds }}}}
      {{- end }}
      resources:
        {{- toYaml .service.resources | nindent 8 }}
      volumeMounts:
        {{- include "moviellm.volumeMounts" . | nindent 8 }}
  volumes:
    {{- include "moviellm.volumes" . | nindent 4 }}
{{- end }}
