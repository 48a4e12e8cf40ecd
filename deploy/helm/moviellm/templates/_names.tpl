{{/* Names, labels and images. */}}

{{- define "moviellm.services" -}}
controller scripting qa inversion export rendering
{{- end }}

{{- define "moviellm.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The name of a cluster-wide object: two releases of one name in two namespaces must not meet. */}}
{{- define "moviellm.clusterName" -}}
{{ .Release.Namespace }}-{{ include "moviellm.fullname" . }}
{{- end }}

{{/* Labels by which pods are selected. Arguments: root, name (of the service). */}}
{{- define "moviellm.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* Labels of objects. Arguments: root, name. */}}
{{- define "moviellm.labels" -}}
{{ include "moviellm.selector" . }}
app.kubernetes.io/part-of: moviellm
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The beginning of an object's metadata. Arguments: root, name; suffix for another
     name of the object, annotations, extraLabels. */}}
{{- define "moviellm.metadata" -}}
name: {{ include "moviellm.fullname" .root }}-{{ .suffix | default .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "moviellm.labels" . | nindent 2 }}
  {{- with .extraLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* An image. Arguments: root, image. */}}
{{- define "moviellm.image" -}}
{{- $name := .image.repository -}}
{{- with .root.Values.image.registry -}}
{{- $name = printf "%s/%s" (trimSuffix "/" .) $name -}}
{{- end -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ .image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* A service's values over the defaults, as JSON. Arguments: root, name. */}}
{{- define "moviellm.service" -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (index .root.Values .name)) | toJson -}}
{{- end }}

{{/* Arguments: root, name, service. */}}
{{- define "moviellm.serviceAccountName" -}}
{{- $account := .service.serviceAccount -}}
{{- if $account.name -}}
{{ $account.name }}
{{- else if $account.create -}}
{{ include "moviellm.fullname" .root }}-{{ .name }}
{{- else -}}
default
{{- end -}}
{{- end }}

{{/* A service's ports for calls and for metrics. */}}
{{- define "moviellm.grpcPort" -}}
{{- get (dict "controller" "8600" "scripting" "8601" "inversion" "8602" "rendering" "8603" "qa" "8604" "export" "8605") .name -}}
{{- end }}
{{- define "moviellm.metricsPort" -}}
{{- get (dict "controller" "8700" "scripting" "8701" "inversion" "8702" "rendering" "8703" "qa" "8704" "export" "8705") .name -}}
{{- end }}

{{/* "true" where rendering is a RayService. */}}
{{- define "moviellm.isRayService" -}}
{{- if eq .Values.rendering.mode "rayservice" }}true{{ end -}}
{{- end }}

{{/* "true" where a service's pods need the Kubernetes API. Arguments: root, name. */}}
{{- define "moviellm.needsApiServer" -}}
{{- $resource := and (eq .name "controller") .root.Values.controller.kubernetes.enabled -}}
{{- $autoscaler := and (eq .name "rendering") (include "moviellm.isRayService" .root) .root.Values.rendering.rayService.autoscaler.enabled -}}
{{- if or .root.Values.nodePoolLookup.enabled $resource $autoscaler }}true{{ end -}}
{{- end }}

{{/* Whether an optional kind is wanted. Arguments: root, mode (auto, always, never), api (group/version/Kind). */}}
{{- define "moviellm.wants" -}}
{{- if or (eq .mode "always") (and (eq .mode "auto") (.root.Capabilities.APIVersions.Has .api)) }}true{{ end -}}
{{- end }}

{{/* "true" where the pods load models. */}}
{{- define "moviellm.loadsModels" -}}
{{- if has .name (list "inversion" "rendering") }}true{{ end -}}
{{- end }}

{{/* "true" where a service asks a language model. */}}
{{- define "moviellm.asksModel" -}}
{{- if and .root.Values.llm.enabled (has .name (list "scripting" "qa")) }}true{{ end -}}
{{- end }}

{{/* "true" where models may come from a hub: neither embedded, nor a directory, nor forbidden. */}}
{{- define "moviellm.asksHub" -}}
{{- $name := .Values.model.name -}}
{{- if not (or .Values.model.offline (eq $name "pocket") (hasPrefix "/" $name)) }}true{{ end -}}
{{- end }}

{{/* "true" where a job downloads models. */}}
{{- define "moviellm.downloads" -}}
{{- if and (eq .Values.modelCache.type "pvc") .Values.modelCache.download }}true{{ end -}}
{{- end }}
