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
       address that probes and Prometheus need. Logins are each role's own and
       come by environment. */ -}}
{{- define "toplu.config" -}}
{{- $c := deepCopy .Values.config -}}
{{- $_ := set $c "admin" (merge (dict "listen" ":9464") ($c.admin | default dict)) -}}
{{- $merchants := dict -}}
{{- range $name, $m := .Values.merchants -}}
{{- $files := dict "apiKeyFile" (printf "/etc/toplu/merchants/%s/api-key" $name) "secretKeyFile" (printf "/etc/toplu/merchants/%s/secret-key" $name) -}}
{{- $_ := set $merchants $name (merge $files ($m.settings | default dict)) -}}
{{- end -}}
{{- $_ := set $c "merchants" $merchants -}}
{{- range $server := list "kafka" "redis" -}}
{{- if (index $.Values (printf "%sAuthority" $server)).secretName -}}
{{- $_ := set (get $c $server) "caFile" (printf "/etc/toplu/%s-ca/ca.crt" $server) -}}
{{- $_ := set (get $c $server) "tls" true -}}
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

{{- /* Who the pod is to Kafka and Redis. Called with the values, the logins of
       the role, and whether it needs the merchants' keys. */ -}}
{{- define "toplu.env" -}}
{{- range $server := list "kafka" "redis" }}
{{- $login := index $.role $server | default dict }}
{{- $at := printf "/etc/toplu/%s-login" $server }}
{{- if $login.username }}
- {name: TOPLU_{{ upper $server }}_USERNAME, value: {{ $login.username | quote }}}
{{- end }}
{{- if $login.secretName }}
{{- if $login.passwordKey }}
- {name: TOPLU_{{ upper $server }}_PASSWORDFILE, value: {{ $at }}/password}
{{- end }}
{{- if $login.certKey }}
- {name: TOPLU_{{ upper $server }}_CERTFILE, value: {{ $at }}/tls.crt}
- {name: TOPLU_{{ upper $server }}_KEYFILE, value: {{ $at }}/tls.key}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Secrets are mounted as folders, so that a new key is seen without a restart. */ -}}
{{- define "toplu.mounts" -}}
- {name: config, mountPath: /etc/toplu/config, readOnly: true}
{{- if .pays }}
{{- range $name, $m := .values.merchants }}
- {name: merchant-{{ $name }}, mountPath: /etc/toplu/merchants/{{ $name }}, readOnly: true}
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- range $server := list "kafka" "redis" }}
{{- if (index $.values (printf "%sAuthority" $server)).secretName }}
- {name: {{ $server }}-ca, mountPath: /etc/toplu/{{ $server }}-ca, readOnly: true}
{{- end }}
{{- if (index $.role $server | default dict).secretName }}
- {name: {{ $server }}-login, mountPath: /etc/toplu/{{ $server }}-login, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "toplu.volumes" -}}
- name: config
  configMap: {name: {{ .name }}}
{{- if .pays }}
{{- range $name, $m := .values.merchants }}
- name: merchant-{{ $name }}
  secret:
    secretName: {{ $m.secretName }}
    defaultMode: 0440
    items:
      - {key: {{ $m.apiKeyKey }}, path: api-key}
      - {key: {{ $m.secretKeyKey }}, path: secret-key}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- range $server := list "kafka" "redis" }}
{{- with index $.values (printf "%sAuthority" $server) }}
{{- if .secretName }}
- name: {{ $server }}-ca
  secret:
    secretName: {{ .secretName }}
    defaultMode: 0440
    items:
      - {key: {{ .key }}, path: ca.crt}
{{- end }}
{{- end }}
{{- with index $.role $server | default dict }}
{{- if .secretName }}
- name: {{ $server }}-login
  secret:
    secretName: {{ .secretName }}
    defaultMode: 0440
    items:
      {{- if .passwordKey }}
      - {key: {{ .passwordKey }}, path: password}
      {{- end }}
      {{- if .certKey }}
      - {key: {{ .certKey }}, path: tls.crt}
      - {key: {{ .keyKey }}, path: tls.key}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
