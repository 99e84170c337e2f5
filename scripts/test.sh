#!/bin/sh
# Checks and all tests, side by side: the checks use one core, and the tests begin with a long look for what there is.
# The exit code is 1 if anything failed. Arguments go to pytest.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
failed=0
# What Python compiles is kept, whatever the environment says: the workers and the hundreds of processes that tests
# start would compile it again and again.
unset PYTHONDONTWRITEBYTECODE

# Before both: some tests run in what this installs.
"$python" scripts/javascript.py --install || failed=1
"$python" scripts/python_clients.py || failed=1
said=$(mktemp)
"${MAKE:-make}" --no-print-directory check >"$said" 2>&1 &
checks=$!
trap 'kill $checks 2>/dev/null; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

# In a fresh checkout the workers would all compile the same test files at the same moment.
[ -d tests/__pycache__ ] || "$python" -m pytest -q --collect-only packages examples tests >/dev/null 2>&1
# Many tests wait for a disk or a process: three workers keep two cores busy.
"$python" -m pytest -q packages examples tests -n 3 --dist loadfile --no-loadscope-reorder "$@" || failed=1
wait $checks || failed=1
trap 'rm -f "$said"' EXIT
cat "$said"
[ $failed -eq 0 ] || echo "make test: something above failed" >&2
exit $failed
