{{- define "jotgate.kind" -}}
{{- .Values.kind | default "WasmPlugin" -}}
{{- end }}

{{- define "jotgate.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}
{{- end }}

{{- /* A value as JSON, which is YAML: `toYaml` writes some texts so that they are read as others, or not at all. The two
characters mean something in YAML and not in JSON. */}}
{{- define "jotgate.json" -}}
{{- toPrettyJson . | replace "\u0085" "\\u0085" | replace "\ufeff" "\\ufeff" -}}
{{- end }}

{{- define "jotgate.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  app.kubernetes.io/name: {{ .root.Chart.Name }}
  app.kubernetes.io/instance: {{ .root.Release.Name }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* The image, without a scheme. */}}
{{- define "jotgate.image" -}}
{{- $image := .Values.image | default dict -}}
{{- $repository := required "image.repository is missing: give the place that `make push` put the image in, as in --set image.repository=registry.example.com/jotgate" $image.repository -}}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}{{ else }}{{ $repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The plugin's configuration. */}}
{{- define "jotgate.config" -}}
{{- if .Values.config -}}
  {{- if or .Values.issuer .Values.audiences .Values.jwksUri .Values.rules .Values.login .Values.session -}}
    {{- fail "config is the plugin's whole configuration: move issuer, audiences, jwksUri and rules into it, login and session as well, or leave config out" -}}
  {{- end -}}
  {{- include "jotgate.json" .Values.config -}}
{{- else -}}
  {{- if eq (include "jotgate.kind" .) "EnvoyExtensionPolicy" -}}
    {{- fail "an EnvoyExtensionPolicy cannot make the issuer reachable: instead of issuer, audiences, jwksUri and rules, give config, with inline keys or with a cluster that you made" -}}
  {{- end -}}
  {{- $issuer := required "issuer is missing: give what `iss` of the tokens must be, as in --set issuer=https://idp.example.com/realms/main, or give config" .Values.issuer -}}
  {{- if not .Values.audiences -}}
    {{- fail "audiences are missing: give what `aud` of the tokens must name, as in --set audiences={orders-api}" -}}
  {{- end -}}
  {{- $place := .Values.jwksUri | default $issuer -}}
  {{- $uri := urlParse $place -}}
  {{- if or (ne $uri.scheme "https") (not $uri.hostname) -}}
    {{- fail (printf "%s is no https URI: keys come over TLS; where yours do not, give config, with a cluster that you made" ($place | quote)) -}}
  {{- end -}}
  {{- $port := trimPrefix $uri.hostname $uri.host | trimPrefix ":" | default "443" -}}
  {{- $keys := dict "cluster" (printf "outbound|%s||%s" $port $uri.hostname) -}}
  {{- if .Values.jwksUri }}{{ $_ := set $keys "jwksUri" .Values.jwksUri }}{{ else }}{{ $_ := set $keys "discovery" dict }}{{ end -}}
  {{- $entry := dict "name" "main" "issuer" $issuer "audiences" .Values.audiences "keys" $keys -}}
  {{- $config := dict "issuers" (list $entry) "rules" (.Values.rules | default list) -}}
  {{- if ne (empty .Values.login) (empty .Values.session) -}}
    {{- fail "login and session go together: give both, as docs/install/helm.md shows" -}}
  {{- else if .Values.login -}}
    {{- $_ := set $config "login" (list (merge (deepCopy .Values.login) (dict "issuer" "main"))) -}}
    {{- $_ := set $config "session" .Values.session -}}
  {{- end -}}
  {{- include "jotgate.json" $config -}}
{{- end -}}
{{- end }}

{{- /* The logins of a configuration, which has one or a list, as JSON. */}}
{{- define "jotgate.logins" -}}
{{- $logins := .login | default list -}}
{{- dict "logins" (kindIs "map" $logins | ternary (list $logins) $logins) | toJson -}}
{{- end }}

{{- /* The variables of the proxy that the plugin may read: those of `environment`, and those that login, session and upstreamCredentials name. */}}
{{- define "jotgate.environment" -}}
{{- $config := include "jotgate.config" . | fromJson -}}
{{- $values := ($config.session | default dict).secrets | default list -}}
{{- range (include "jotgate.logins" $config | fromJson).logins -}}
  {{- $client := .client | default dict -}}
  {{- $values = concat $values (list $client.secret $client.privateKey) -}}
{{- end -}}
{{- range $config.upstreamCredentials | default list -}}
  {{- $client := (.exchange | default dict).client | default dict -}}
  {{- $values = concat $values ((.token | default dict).keys | default list) (list $client.secret $client.privateKey) -}}
{{- end -}}
{{- $names := .Values.environment | default list -}}
{{- range $values -}}
  {{- if kindIs "map" . }}{{ $names = append $names .env }}{{ end -}}
{{- end -}}
{{- dict "names" (uniq $names) | toJson -}}
{{- end }}

{{- /* The hosts outside the mesh that issuers are reached at, each with its ports, as JSON. */}}
{{- define "jotgate.hosts" -}}
{{- $hosts := dict -}}
{{- $config := include "jotgate.config" . | fromJson -}}
{{- $clusters := list -}}
{{- range $config.issuers -}}
  {{- if kindIs "map" .keys }}{{ $clusters = concat $clusters (list .keys.cluster .keys.jwksCluster) }}{{ end -}}
{{- end -}}
{{- range (include "jotgate.logins" $config | fromJson).logins -}}
  {{- $clusters = concat $clusters (list .cluster (.clusters | default dict).api) -}}
{{- end -}}
{{- range $cluster := $clusters -}}
  {{- $parts := splitList "|" ($cluster | default "") -}}
  {{- if and (eq (len $parts) 4) (eq (first $parts) "outbound") (eq (index $parts 2) "") -}}
    {{- $host := last $parts -}}
    {{- if not (regexMatch "[.]svc([.]|$)" $host) -}}
      {{- $_ := set $hosts $host (append (get $hosts $host | default list) (index $parts 1) | uniq) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $hosts -}}
{{- end }}

{{- /* What the proxies in question are, for Istio. */}}
{{- define "jotgate.target" -}}
{{- if .Values.targetRefs -}}
targetRefs:
{{ toYaml .Values.targetRefs }}
{{- else if .Values.selector -}}
selector:
  matchLabels:
    {{- toYaml .Values.selector | nindent 4 }}
match:
- mode: CLIENT
{{- else -}}
{{- fail "selector and targetRefs are both empty: the plugin would run in every proxy of the namespace; say which by their labels, as in --set selector.istio=ingressgateway" -}}
{{- end -}}
{{- end }}

{{- /* The module and how it runs, which both of Istio's kinds have. */}}
{{- define "jotgate.wasm" -}}
url: {{ printf "oci://%s" (include "jotgate.image" .) | quote }}
{{- with (.Values.image).digest }}
sha256: {{ trimPrefix "sha256:" . | quote }}
{{- end }}
{{- with (.Values.image).pullSecret }}
imagePullSecret: {{ . | quote }}
{{- end }}
failStrategy: {{ .Values.failStrategy | default "FAIL_RELOAD" }}
{{- with (include "jotgate.environment" . | fromJson).names }}
vmConfig:
  env:
  {{- range . }}
  - {name: {{ . | quote }}, valueFrom: HOST}
  {{- end }}
{{- end }}
pluginConfig:
  {{- include "jotgate.config" . | nindent 2 }}
{{- end }}
