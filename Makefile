# Eldonia Ops. `make` alone lists what there is.
.DEFAULT_GOAL := help
PY := .venv/bin/python

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## create .venv with both packages and the eldonia-ops command
	@PYTHON=$(PYTHON) sh scripts/install.sh

install-dev:
	@PYTHON=$(PYTHON) sh scripts/install.sh --dev

demo: install ## a real outage: detected, paged, recovered, recorded; stays up until Ctrl-C
	@.venv/bin/eldonia-ops demo $(ARGS)

up: install ## the platform alone, watching this host
	@.venv/bin/eldonia-ops serve $(ARGS)

# Each part runs whatever became of the one before it. With ARGS, a part may well have no test of that name (5).
test: install-dev ## format, lint, types, then all tests
	@failed=; $(MAKE) --no-print-directory check || failed=1; \
	$(PY) -m pytest packages examples tests/fuzz -q -n 2 --dist loadfile $(ARGS) || [ "$$?$(ARGS)" != "5" -a "$$?" = 5 ] || failed=1; \
	$(PY) -m pytest tests --ignore tests/fuzz -q $(ARGS) || failed=1; \
	[ -z "$$failed" ]

fuzz: install-dev ## look for inputs that break a parser; ARGS="NAME --seconds N" selects
	@PYTHONPATH=tests $(PY) -m fuzz $(ARGS)

check: install-dev ## format, lint, types, import rules
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports

bench: install-dev ## measurements, side by side in one run
	@$(PY) -m benchmarks $(ARGS)

screenshots: install-dev ## take the pictures that the README shows
	@$(PY) scripts/screenshots.py

clean: ## remove what the other targets made
	rm -rf .venv .demo build dist

.PHONY: help install install-dev demo up test fuzz check bench screenshots clean
