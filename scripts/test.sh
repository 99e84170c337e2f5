#!/bin/sh
# Checks, then all tests. Each part runs whatever became of the one before it; the exit code is 1 if any failed.
# Arguments go to pytest, and then a part may well have no test of that name.
set -u
cd "$(dirname "$0")/.."
python=.venv/bin/python
failed=0

tests() {
    "$python" -m pytest -q "$@"
    code=$?
    [ $code -eq 0 ] || { [ $code -eq 5 ] && [ "$selected" -gt 0 ]; } || failed=1
}

selected=$#
"${MAKE:-make}" --no-print-directory check || failed=1
# Many wait for a disk or a process: three keep two cores busy.
tests packages examples tests/fuzz tests/test_*.py -n 3 --dist loadfile "$@"
# These run whole platforms.
tests tests/acceptance tests/benchmarks -n 2 --dist loadfile "$@"
[ $failed -eq 0 ] || echo "make test: something above failed" >&2
exit $failed
