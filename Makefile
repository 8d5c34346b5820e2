# make demo, make test: everything they need is made here or said in one line. ARGS passes arguments on.
PY := .venv/bin/python
MANAGE := $(PY) manage.py
ARGS ?=
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS ?= $(shell [ $(CORES) -lt 4 ] && echo $(CORES) || echo 4)

TYPED = accounts/money.py $(wildcard */domain settlements/ledger */policies*.py) portal/services manage.py

.PHONY: help base dev assets demo test check format bench faults conformance clean

help:
	@echo "make demo    the portal on http://localhost:8000 with invented people (ARGS=--fresh begins again; PORT, HOST)"
	@echo "make test    the whole suite (ARGS=\"tests/family -k order\" for a part; WORKERS=1)"
	@echo "make check   style, types, layers, deployment settings, migrations, translations"
	@echo "make format  put the code into the style that check asks for"
	@echo "make bench   the measurements (ARGS names some)"
	@echo "make faults  servers killed, answers lost, disks full, clocks wrong: what holds (ARGS names some)"
	@echo "make conformance  programs that others wrote settle here unmodified (ARGS names parts; CONFORMANCE_EXAMPLES)"
	@echo "make clean   remove what was built and installed; the demo's data under var/ stays"

base:
	@sh requirements/install.sh base

dev:
	@sh requirements/install.sh dev

assets: base
	@$(PY) -m portal.assets

demo: base assets
	@exec $(MANAGE) demo $(ARGS)

test: dev assets
	@$(PY) -m tests.chromium
	@exec $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: dev assets
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(TYPED)
	$(PY) -m pytest -q tests/test_architecture.py
	@set -a; . ./.ci/production.env; DJANGO_SETTINGS_MODULE=portal.settings.production \
		$(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check_translations

format: dev
	$(PY) -m ruff check --fix-only -q .
	$(PY) -m ruff format .

bench: dev assets
	@exec $(PY) -m benchmarks $(ARGS)

faults: dev assets
	@exec $(PY) -m faults $(ARGS)

conformance: dev assets
	@exec $(PY) -m conformance $(ARGS)

clean:
	rm -rf .venv node_modules static/build var/static var/log .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete
