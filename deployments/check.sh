#!/usr/bin/env bash
# Checks everything in deployments/ by its own tools: promtool, shellcheck,
# yamllint, helm, and Kubernetes' schemas. What is missing is fetched: Debian
# packages by apt, helm and the schemas into .cache.
#
# Usage: check.sh [DIRECTORY]   (where the rendered charts are left; default: a temporary one)
set -euo pipefail
cd "$(dirname "$0")"

cache=${TOPLU_PARTS:-$PWD/../.cache}
helm_version=v3.22.0
validate_version=1.37.0
kubernetes="1.27.0 1.33.0 1.37.0"
helm=$cache/bin/helm-$helm_version
venv=$cache/kubernetes-validate-$validate_version
out=${1:-$(mktemp -d)}

say() { printf 'check: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND PACKAGE: has apt install a package if its command is missing.
need() {
  have "$1" && return
  if ! have apt-get || [ "$(id -u)" != 0 ]; then
    say "$1 is missing: install $2"
    exit 1
  fi
  say "installing $2"
  [ -n "${apt_updated:-}" ] || apt-get update -qq >/dev/null
  apt_updated=1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

tools() {
  need promtool prometheus
  need shellcheck shellcheck
  need yamllint yamllint
  if [ ! -x "$helm" ]; then
    say "building helm $helm_version, once; it takes some minutes"
    mkdir -p "$cache/bin/helm.tmp"
    # From outside the repository, whose modules are not helm's.
    (cd / && GOBIN="$cache/bin/helm.tmp" go install "helm.sh/helm/v3/cmd/helm@$helm_version")
    mv "$cache/bin/helm.tmp/helm" "$helm"
    rmdir "$cache/bin/helm.tmp"
  fi
  if [ ! -f "$venv/.complete" ]; then
    need python3 python3
    python3 -m venv "$venv"
    "$venv/bin/python3" -m pip install -q "kubernetes-validate==$validate_version"
    touch "$venv/.complete"
  fi
}

# render NAME [FLAG...]: what the chart makes of some values.
render() {
  local name=$1
  shift
  "$helm" template pay helm/toplu --namespace payouts --kube-version 1.33.0 "$@" >"$out/$name.yaml"
}

# refuses FLAG: values that the chart must not take.
refuses() {
  if "$helm" template pay helm/toplu --kube-version 1.33.0 --set "$1" >/dev/null 2>&1; then
    say "the chart takes $1"
    exit 1
  fi
}

# schemas FILE: only kinds that are not Kubernetes' own may be unknown to it. Run as
# a module: the script in bin/ knows only the folder that it was installed in.
schemas() {
  local version log
  for version in $kubernetes; do
    log=$("$venv/bin/python3" -m kubernetes_validate --strict -k "$version" "$1" 2>&1) || { say "$log"; exit 1; }
    if grep -E 'ERROR|WARN' <<<"$log" | grep -vE 'kind (ServiceMonitor|PrometheusRule|ScaledObject) '; then
      exit 1
    fi
  done
}

tools
mkdir -p "$out"

say "shell: shellcheck"
shellcheck ./*.sh ../internal/realparts/*.sh ../.ci/*

say "YAML: yamllint"
yamllint --strict -c yamllint.yaml compose.yaml yamllint.yaml compose grafana kafka prometheus helm/toplu/Chart.yaml helm/toplu/values.yaml helm/toplu/files

say "alerts: promtool"
promtool check rules helm/toplu/files/alerts.yaml >&2
promtool check config --syntax-only prometheus/prometheus.yaml >&2
promtool test rules prometheus/alerts_test.yaml >&2

say "chart: helm lint, helm template, Kubernetes' schemas of $kubernetes"
"$helm" lint --strict --kube-version 1.33.0 helm/toplu >&2
render plain
render full \
  --set worker.keda.enabled=true,serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboard.enabled=true \
  --set config.kafka.mechanism=SCRAM-SHA-512,kafkaAuthority.secretName=kafka-ca,redisAuthority.secretName=redis-ca \
  --set consumer.kafka.username=toplu-consumer,consumer.kafka.secretName=toplu-consumer,consumer.redis.username=toplu-reader,consumer.redis.secretName=toplu-reader \
  --set worker.kafka.username=toplu-worker,worker.kafka.secretName=toplu-worker,worker.redis.username=toplu-worker,worker.redis.secretName=toplu-redis \
  --set topics.kafka.username=toplu-topics,topics.kafka.secretName=toplu-topics \
  --set merchants.second-shop.secretName=second,merchants.second-shop.apiKeyKey=a,merchants.second-shop.secretKeyKey=b,merchants.second-shop.settings.maxOpen=2 \
  --set config.batch.maxItems=1000,config.batch.maxAmount=50000.00,imagePullSecrets[0].name=registry,priorityClassName=high,podAnnotations.team=payouts
render bare --set topics.create=false,networkPolicy.enabled=false
render certificates --set kafkaAuthority.secretName=kafka-ca,worker.kafka.secretName=worker,worker.kafka.passwordKey=,worker.kafka.certKey=tls.crt,worker.kafka.keyKey=tls.key
for chart in plain full bare certificates; do schemas "$out/$chart.yaml"; done
refuses config.kafka.password=secret
refuses merchants.default.settings.apiKey=key
refuses merchants.default.secretName=
refuses terminationGracePeriodSeconds=5
refuses wroker.replicas=1

say "fine"
