# What a developer runs. `make check` is the gate of every commit; `make demo` shows it all without account or broker.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The core decides everything and is pure: every branch of it is tested.
PYTEST := $(BIN)/pytest --cov=sense_mqtt.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

.NOTPARALLEL:
.PHONY: venv check test demo

venv: $(VENV)/.dev-installed

# Nothing may be printed after pytest: its summary is the last line.
check: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST)

test: venv
	$(PYTEST)

demo: $(VENV)/.demo-installed
	$(BIN)/sense-mqtt demo $(ARGS)

$(VENV)/.dev-installed: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $(VENV)/.demo-installed $@

$(VENV)/.demo-installed: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable '.[demo]'
	touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'sense-mqtt needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo 'no venv module: on Debian, apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv $(VENV)
