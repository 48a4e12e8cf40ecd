{{/* Parts of the RayService. Arguments: root, name (rendering), service. */}}

{{/* What Ray Serve runs. Changes here, but for the ports, are applied to the running cluster. */}}
{{- define "moviellm.serveConfig" -}}
{{- $ray := .service.rayService -}}
{{- $args := dict "cpus_per_replica" $ray.replicas.cpus "gpus_per_replica" $ray.replicas.gpus -}}
{{- range $name, $value := include "moviellm.ownSettings" . | fromJson -}}
{{- $_ := set $args (lower $name) $value -}}
{{- end -}}
proxy_location: EveryNode
http_options: {host: 0.0.0.0, port: 8000}
grpc_options:
  port: {{ include "moviellm.grpcPort" . }}
  grpc_servicer_functions:
    - moviellm.v1.rendering_service_pb2_grpc.add_RenderingServiceServicer_to_server
    - grpc_health.v1.health_pb2_grpc.add_HealthServicer_to_server
logging_config: {log_level: WARNING, enable_access_log: false}
applications:
  - name: rendering
    route_prefix: /
    import_path: moviellm.rendering.ray_app:build
    args:
      {{- range $name := keys $args | sortAlpha }}
      {{- $value := get $args $name }}
      {{ $name }}: {{ kindIs "string" $value | ternary (quote $value) (include "moviellm.text" $value) }}
      {{- end }}
    deployments:
      - name: Rendering
        num_replicas: auto
        max_ongoing_requests: {{ int64 $ray.replicas.maxOngoingRequests }}
        max_queued_requests: {{ int64 $ray.replicas.maxQueuedRequests }}
        graceful_shutdown_timeout_s: {{ .service.drainSeconds }}
        autoscaling_config:
          min_replicas: {{ int64 $ray.replicas.min }}
          max_replicas: {{ int64 $ray.replicas.max }}
          target_ongoing_requests: {{ $ray.replicas.targetOngoingRequests }}
          upscale_delay_s: {{ $ray.replicas.upscaleDelaySeconds }}
          downscale_delay_s: {{ $ray.replicas.downscaleDelaySeconds }}
{{- end }}

{{/* Environment of Ray's containers. Further argument: nodePool. */}}
{{- define "moviellm.rayEnv" -}}
# Ray's own variable: what every worker process calls before anything else.
- {name: __RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR, value: moviellm.rendering.ray_adaptation.adapt}
- {name: RAY_USAGE_STATS_ENABLED, value: "0"}
- {name: RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO, value: "1"}
- {name: TRANSFORMERS_VERBOSITY, value: error}
{{ include "moviellm.env" . }}
{{- end }}

{{/* A container of Ray. Further arguments: container (its name), resources, ports, nodePool. */}}
{{- define "moviellm.rayContainer" -}}
name: {{ .container }}
image: {{ include "moviellm.image" (dict "root" .root "image" .service.image) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "moviellm.containerSecurity" . | nindent 2 }}
envFrom:
  - configMapRef: {name: {{ include "moviellm.fullname" .root }}-rendering}
env:
  {{- include "moviellm.rayEnv" . | nindent 2 }}
ports:
  {{- toYaml .ports | nindent 2 }}
{{- if .service.preStopSeconds }}
lifecycle:
  preStop: {sleep: {seconds: {{ .service.preStopSeconds }}}}
{{- end }}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  {{- include "moviellm.volumeMounts" . | nindent 2 }}
{{- end }}

{{/* What head and workers have in common of a pod's spec. */}}
{{- define "moviellm.rayPod" -}}
serviceAccountName: {{ include "moviellm.serviceAccountName" . }}
automountServiceAccountToken: {{ include "moviellm.needsApiServer" . | eq "true" }}
enableServiceLinks: false
# Above Ray's drain, so that frames under way are finished before the pod is killed.
terminationGracePeriodSeconds: {{ add .service.preStopSeconds .service.drainSeconds 30 }}
securityContext:
  {{- include "moviellm.podSecurity" . | nindent 2 }}
{{- include "moviellm.pullSecrets" . }}
volumes:
  {{- include "moviellm.volumes" . | nindent 2 }}
{{- end }}
