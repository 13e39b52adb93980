#!/usr/bin/env bash
# Fetches the real Kafka and Redis that the integration tests start.
# Usage: setup.sh [DIRECTORY]   (default: .cache at the root of the repository)
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=${1:-${TOPLU_PARTS:-$root/.cache}}
kafka_versions="4.2.0 3.9.1"
mkdir -p "$home"

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# install COMMAND PACKAGE: has apt install a package if its command is missing.
install() {
  have "$1" && return
  have apt-get && [ "$(id -u)" = 0 ] || return 1
  say "installing $2"
  [ -n "${apt_updated:-}" ] || apt-get update -qq >/dev/null || return 1
  apt_updated=1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# jars VERSION: has Maven fetch a broker's jars.
jars() {
  local version=$1 libs=$home/kafka-$1/libs work
  [ -f "$libs/.complete" ] && return
  say "fetching Kafka $version"
  work=$(mktemp -d)
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>toplu</groupId><artifactId>parts</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
POM
  (cd "$work" && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$work/libs") || { rm -rf "$work"; return 1; }
  rm -rf "$libs" && mkdir -p "$(dirname "$libs")" && mv "$work/libs" "$libs" && touch "$libs/.complete"
  rm -rf "$work"
}

native() {
  install redis-server redis-server || { say "no redis-server, and apt cannot install it"; return 1; }
  install java default-jre-headless || { say "no java, and apt cannot install it"; return 1; }
  install mvn maven || { say "no mvn, and apt cannot install it"; return 1; }
  install kcat kcat || say "no kcat: the test with a foreign client will say so"
  for version in $kafka_versions; do jars "$version" || { say "Maven could not fetch Kafka $version"; return 1; }; done
  rm -f "$home/docker"
}

# The way through Docker was not run where it was written.
images() {
  have docker && docker info >/dev/null 2>&1 || return 1
  for image in apache/kafka:4.2.0 apache/kafka:3.9.1 redis:7; do docker pull -q "$image" >&2 || return 1; done
  touch "$home/docker"
}

"$root/internal/foreign/setup.sh" "$home" || say "no clients in other languages: the long tests of internal/foreign will say so"

if native; then
  say "ready: Kafka $kafka_versions and $(redis-server --version | cut -d' ' -f1-3) in or beside $home"
elif images; then
  say "ready: with Docker images"
else
  say "The tests with real parts need Java 17 or newer, Maven and redis-server 7 (or a running Docker engine)."
  say "On Debian or Ubuntu: apt-get install default-jre-headless maven redis-server kcat"
  exit 1
fi
