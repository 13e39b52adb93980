#!/usr/bin/env bash
# Fetches the clients in other languages that the slow tests run: by name and
# version, into .cache. PostgreSQL and a JDK come from the system's packages.
# Usage: setup.sh [DIRECTORY]   (default: .cache at the root of the repository)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=${1:-${TOPLU_PARTS:-$root/.cache}}
npm_packages="kafkajs@2.2.4 iyzipay@2.0.69 @asyncapi/parser@3.6.0"
pip_packages="confluent-kafka==2.15.1"

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# install COMMAND PACKAGE: has apt install a package if its command is missing.
install() {
  have "$1" && return
  have apt-get && [ "$(id -u)" = 0 ] || { say "no $1: install $2"; return 1; }
  say "installing $2"
  [ -n "${apt_updated:-}" ] || apt-get update -qq >/dev/null || return 1
  apt_updated=1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# fetched DIRECTORY WHAT: whether a directory holds just this already.
fetched() { [ "$(cat "$1/.complete" 2>/dev/null)" = "$2" ]; }

npm_clients() {
  local dir=$home/foreign-npm
  fetched "$dir" "$npm_packages" && return
  say "fetching $npm_packages"
  rm -rf "$dir" && mkdir -p "$dir"
  printf '{"private":true}\n' >"$dir/package.json"
  # shellcheck disable=SC2086 # a list
  (cd "$dir" && npm install --silent --no-audit --no-fund --ignore-scripts --save-exact $npm_packages >&2)
  printf '%s' "$npm_packages" >"$dir/.complete"
}

python_clients() {
  local dir=$home/foreign-python
  fetched "$dir" "$pip_packages" && return
  say "fetching $pip_packages"
  rm -rf "$dir" && mkdir -p "$dir"
  # shellcheck disable=SC2086 # a list
  python3 -m pip install --quiet --root-user-action=ignore --only-binary :all: --target "$dir" $pip_packages >&2
  printf '%s' "$pip_packages" >"$dir/.complete"
}

java_clients() {
  local dir=$home/foreign-java pom=$root/docs/ledgers/java/pom.xml
  fetched "$dir" "$(cksum <"$pom")" && return
  say "fetching what $pom asks for"
  rm -rf "$dir" && mkdir -p "$dir"
  mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$dir" >&2
  cksum <"$pom" >"$dir/.complete"
}

install node nodejs && { have npm || install npm npm; }
install python3 python3-pip && { python3 -m pip --version >/dev/null 2>&1 || install pip3 python3-pip; }
install javac default-jdk-headless
install mvn maven
install kcat kcat
install psql postgresql
npm_clients
python_clients
java_clients
say "ready: $npm_packages $pip_packages and Java's in $home"
