#!/bin/sh
# Creates .venv and installs both packages, the example shop and, with --dev, what tests and checks need.
# Says plainly and at once what is missing on this machine. Does nothing when everything is up to date.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
want=product
[ "${1:-}" = "--dev" ] && want=dev

fail() {
    printf '\nCannot install: %s\n' "$1" >&2
    [ $# -gt 1 ] && printf '  %s\n' "$2" >&2
    exit 2
}

command -v "$python" >/dev/null 2>&1 || fail "$python is not on PATH." "On Debian: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1)." "Name another with: make install PYTHON=python3.12"

stamp=.venv/.installed-$want
sum=$(cat constraints.txt requirements-dev.txt packages/*/pyproject.toml packages/*/package*.json packages/*/hatch_build.py \
    examples/*/pyproject.toml 2>/dev/null | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "this Python has no venv module (Debian packages it apart)." "On Debian, as root: apt-get install python3-venv"
fi
need=2200000
free=$(df -Pk . | awk 'NR==2 {print $4}')
if [ ! -d .venv ] && [ "$free" -lt "$need" ]; then
    fail "too little disk: $((free / 1024)) MiB free here, about $((need / 1024)) MiB needed." "The embedded database engine alone takes 540 MiB."
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "creating .venv"
    rm -rf .venv
    "$python" -m venv .venv
fi

set -- -e packages/eldonia-telemetry -e "packages/eldonia-ops[postgresql,redis]" -e examples/shop
[ "$want" = dev ] && set -- "$@" -r requirements-dev.txt
echo "installing (the first time downloads about 400 MiB)"
log=.venv/install.log
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    if grep -qiE 'name resolution|connection|timed out|unreachable|No matching distribution|retrying' "$log"; then
        fail "the Python package index could not be reached, or lacks a pinned version." \
            "Check the network, or point pip at your mirror (pip config set global.index-url ...). Full output: $log"
    fi
    fail "pip failed; the whole output is in $log"
fi
echo "$sum" >"$stamp"
[ "$want" = dev ] && echo "$sum" >.venv/.installed-product
echo "installed: .venv/bin/eldonia-ops"
