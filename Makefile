# What a developer runs. `make check` is the gate of every commit; `make demo` shows it all without account or broker.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One test process more than processors: some tests wait for programs. Each further one imports everything once more.
WORKERS ?= $(shell echo $$((1 + $$(getconf _NPROCESSORS_ONLN))))
# Every process reads what the first one has compiled, whatever the environment says (empty: it may be written).
export PYTHONDONTWRITEBYTECODE :=
PARALLEL := $(BIN)/pytest -n $(WORKERS) --dist worksteal

.NOTPARALLEL:
.PHONY: venv check static coverage test test-long demo bench faults

venv: $(VENV)/.dev-installed

# Nothing may be printed after the tests: pytest's summary is the last line.
check: static coverage test

static: venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The core decides everything and is pure: its own tests reach every branch of it. A run of its own, as whatever is
# measured takes twice the time.
coverage: venv
	$(PARALLEL) tests/core -m 'not long and not no_cover' \
		--cov=sense_mqtt.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

test: venv
	$(PARALLEL)

# Longer replays and more seeds, which prove what shorter ones prove once more.
test-long: venv
	$(PARALLEL) -m long

demo: $(VENV)/.demo-installed
	$(BIN)/sense-mqtt demo $(ARGS)

# What a frame costs, and what becomes of memory (bench/README.md); takes some ten minutes.
bench: $(VENV)/.demo-installed
	$(BIN)/python bench/frame_cost.py
	$(BIN)/python bench/sustained.py $(FRAMES)

# A thousand seeded schedules of faults (tests/faults), then the page about them; some forty minutes on two cores.
SEEDS ?= 0-999
JOBS ?= 6
faults: venv
	$(BIN)/python -m tests.faults --seeds $(SEEDS) --jobs $(JOBS) --out build/faults.json; status=$$?; \
		$(BIN)/python -m tests.faults --report build/faults.json > docs/reliability.md; exit $$status

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
