{{- define "toplu.name" -}}
{{- if contains "toplu" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-toplu" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- /* What selects the pods of all roles. */ -}}
{{- define "toplu.selector" -}}
app.kubernetes.io/name: toplu
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "toplu.labels" -}}
{{ include "toplu.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "toplu.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* The configuration file: what the user set, where the secrets are, and the
       address that probes and Prometheus need. */ -}}
{{- define "toplu.config" -}}
{{- $c := deepCopy .Values.config -}}
{{- $admin := dict "listen" ":9464" -}}
{{- $_ := set $c "admin" (merge $admin ($c.admin | default dict)) -}}
{{- $merchants := dict -}}
{{- range $name, $m := .Values.merchants -}}
{{- $files := dict "apiKeyFile" (printf "/etc/toplu/merchants/%s/api-key" $name) "secretKeyFile" (printf "/etc/toplu/merchants/%s/secret-key" $name) -}}
{{- $_ := set $merchants $name (merge $files ($m.settings | default dict)) -}}
{{- end -}}
{{- $_ := set $c "merchants" $merchants -}}
{{- range $part, $secret := dict "kafka" .Values.kafkaSecret "redis" .Values.redisSecret -}}
{{- if $secret.name -}}
{{- $section := get $c $part -}}
{{- if $secret.passwordKey }}{{ $_ := set $section "passwordFile" (printf "/etc/toplu/%s/password" $part) }}{{ end -}}
{{- if $secret.caKey }}{{ $_ := set $section "caFile" (printf "/etc/toplu/%s/ca.pem" $part) }}{{ $_ := set $section "tls" true }}{{ end -}}
{{- end -}}
{{- end -}}
{{ toYaml $c }}
{{- end }}

{{- define "toplu.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "toplu.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Secrets are mounted as folders, so that a new key is seen without a restart. */ -}}
{{- define "toplu.mounts" -}}
- {name: config, mountPath: /etc/toplu/config, readOnly: true}
{{- range $name, $m := .Values.merchants }}
- {name: merchant-{{ $name }}, mountPath: /etc/toplu/merchants/{{ $name }}, readOnly: true}
{{- end }}
{{- if .Values.kafkaSecret.name }}
- {name: kafka, mountPath: /etc/toplu/kafka, readOnly: true}
{{- end }}
{{- if .Values.redisSecret.name }}
- {name: redis, mountPath: /etc/toplu/redis, readOnly: true}
{{- end }}
{{- end }}

{{- define "toplu.volumes" -}}
- name: config
  configMap: {name: {{ include "toplu.name" . }}}
{{- range $name, $m := .Values.merchants }}
- name: merchant-{{ $name }}
  secret:
    secretName: {{ $m.secretName }}
    defaultMode: 0440
    items:
      - {key: {{ $m.apiKeyKey }}, path: api-key}
      - {key: {{ $m.secretKeyKey }}, path: secret-key}
{{- end }}
{{- range $part, $secret := dict "kafka" .Values.kafkaSecret "redis" .Values.redisSecret }}
{{- if $secret.name }}
- name: {{ $part }}
  secret:
    secretName: {{ $secret.name }}
    defaultMode: 0440
    items:
      {{- if $secret.passwordKey }}
      - {key: {{ $secret.passwordKey }}, path: password}
      {{- end }}
      {{- if $secret.caKey }}
      - {key: {{ $secret.caKey }}, path: ca.pem}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
