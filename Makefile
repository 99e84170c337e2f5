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

test: install-dev ## format, lint, types, import rules, then all tests
	@sh scripts/test.sh $(ARGS)

fuzz: install-dev ## look for inputs that break a parser; ARGS="NAME --seconds N" selects
	@PYTHONPATH=tests $(PY) -m fuzz $(ARGS)

check: install-dev ## format, lint, types, import rules, of Python and JavaScript
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/pyright
	.venv/bin/lint-imports
	$(PY) scripts/metrics.py
	$(PY) scripts/javascript.py

lock: ## write the lock files anew; ARGS=--upgrade takes the newest versions
	@PYTHON=$(PYTHON) sh scripts/lock.sh $(ARGS)

bench: install-dev ## measurements, side by side in one run
	@$(PY) -m benchmarks $(ARGS)

docs: install-dev ## write the tables of docs/configuration.md from the settings
	@$(PY) scripts/configuration.py

screenshots: install-dev ## take the pictures that the README shows
	@$(PY) scripts/screenshots.py

clean: ## remove what the other targets made
	rm -rf .venv .demo build dist

.PHONY: help install install-dev demo up test fuzz check lock bench docs screenshots clean
