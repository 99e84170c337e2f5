#!/bin/sh
# Installs what the tests try our parts against (Debian or Ubuntu, as root) and lets no service run.
# With CI=true a tool that is missing fails the tests that need it, so this comes first there.
set -eu

# program:package, the program as the tests look for it
tools="
promtool:prometheus
prometheus-alertmanager:prometheus-alertmanager
amtool:prometheus-alertmanager
prometheus-node-exporter:prometheus-node-exporter
nginx:nginx-light
prometheus-nginx-exporter:prometheus-nginx-exporter
prometheus-redis-exporter:prometheus-redis-exporter
redis-server:redis-server
systemd-analyze:systemd
chromium:chromium
openssl:openssl
curl:curl
pebble:pebble
unshare:util-linux
logger:bsdutils
"

missing=
for entry in $tools; do
    command -v "${entry%%:*}" >/dev/null 2>&1 || missing="$missing ${entry##*:}"
done
# PostgreSQL's programs are not on PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
# rsyslog's outputs are packages of their own.
ls /usr/lib/*/rsyslog/omelasticsearch.so /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 ||
    missing="$missing rsyslog rsyslog-elasticsearch rsyslog-gnutls"
# Nor are these of systemd.
[ -e /lib/systemd/systemd-journal-upload ] || missing="$missing systemd-journal-remote"
if [ -z "$missing" ]; then
    echo "the tools that the tests need are installed"
    exit 0
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Packages of servers start them when they are installed: this refuses, for as long as it lasts.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    trap 'rm -f $policy' EXIT
fi
apt-get update -q >/dev/null
# shellcheck disable=SC2086  the names of several packages
apt-get install -y -q --no-install-recommends $missing >/dev/null
