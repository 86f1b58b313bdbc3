#!/bin/sh
# Builds a Prometheus newer than Debian's, to compare with:
#   tests/signals/metrics/build_prometheus.sh /tmp/prometheus 0.314.0
#   PILOTHOUSE_PROMETHEUS=/tmp/prometheus .venv/bin/pytest tests/signals/metrics/test_side_by_side.py
# Needs Go; takes some ten minutes of CPU the first time, so that no test does it by itself. `go install` refuses a module
# that replaces others, so a module of our own asks for it. Discovery of clouds and the page are left out.
set -eu
target=${1:?where to put it} version=${2:-0.314.0}
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
cd "$directory"
go mod init prometheus-for-tests 2>/dev/null
printf '//go:build tools\n\npackage tools\n\nimport _ "github.com/prometheus/prometheus/cmd/prometheus"\n' > tools.go
go get "github.com/prometheus/prometheus/cmd/prometheus@v$version"
# Version 0.314.0 of the module is Prometheus 3.14.0.
said=$(echo "$version" | sed -E 's/^0\.([0-9])([0-9]+)\./\1.\2./; s/\.0([0-9])/.\1/')
go build -tags remove_all_sd,netgo -ldflags "-s -w -X github.com/prometheus/common/version.Version=$said" -o "$target" \
  github.com/prometheus/prometheus/cmd/prometheus
"$target" --version | head -1
