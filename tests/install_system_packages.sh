#!/bin/sh
# Installs what tests run beside us from the system's packages, when that is possible without asking anybody:
# tests that need one that is missing are skipped and say so.
set -eu
packages="bubblewrap chromium-headless-shell fonts-vlgothic postgresql prometheus prometheus-alertmanager rsyslog rsyslog-elasticsearch"
command -v apt-get >/dev/null 2>&1 || exit 0
missing=$(for package in $packages; do dpkg -s "$package" >/dev/null 2>&1 || echo "$package"; done)
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else exit 0; fi
echo "Installing for the tests:" $missing
$as_root apt-get update -qq
# What is installed must not start by itself: the tests start it.
for package in $missing; do
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null || true
done
# A system whose Chromium comes whole only.
command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 ||
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null || true
