#!/bin/sh
# Writes the lock files: every version, with the hashes of all its files, for all platforms. Versions that a lock file
# already has are kept; `make lock ARGS=--upgrade` takes the newest ones. No address of an index is written.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv

# The packages of this repository are installed from their folders, so they are resolved but not written.
cat >"$scratch/product.in" <<EOT
-e $PWD/packages/eldonia-telemetry
-e $PWD/packages/eldonia-ops[acme,postgresql,redis]
-e $PWD/examples/shop
-r $PWD/requirements-build.txt
EOT

lock() {
    file=$1
    shift
    "$scratch/venv/bin/uv" --quiet pip compile --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url \
        --no-emit-package eldonia-telemetry --no-emit-package eldonia-ops --no-emit-package eldonia-shop \
        --output-file "$file" "$@"
    echo "$file: $(grep -c '==' "$file") packages"
}

# The largest set comes first; the others take its versions.
lock requirements-dev.lock "$@" "$scratch/product.in" requirements-node.txt requirements-dev.txt
sed -n 's|^\([^ ]*==.*[^ \\]\) *\\*$|\1|p' requirements-dev.lock >"$scratch/versions.txt"
lock requirements.lock -c "$scratch/versions.txt" "$scratch/product.in"
lock requirements-node.lock -c "$scratch/versions.txt" requirements-node.txt
