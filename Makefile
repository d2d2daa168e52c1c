# Works with GNU make 3.81. Everything runs in .venv, made from requirements.lock.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=
PYTEST_WORKERS ?= 2
BENCH_ARGS ?=

.PHONY: all install demo test style check format bench schemas docs lock clean
all: install

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tradelake needs Python 3.11 or newer, and '$(PYTHON)' is not one ($$($(PYTHON) --version 2>&1))." \
	       "Install one and name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module, so no environment can be made." \
	       "On Debian and Ubuntu: apt install python3-venv. Then run make again." >&2; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version) (once, about a minute)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh data/demo.sh

test: $(STAMP)
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal $(PYTEST_ARGS)

style: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The house tests, which are a part of `make test`, say whether imports, sizes, schemas and docs are as they should be.
check: style
	$(BIN)/python -m pytest -q tests/house

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m bench $(BENCH_ARGS)

schemas: $(STAMP)
	$(BIN)/python -m tradelake.jobs.schemas schemas docs/ALL_USE_Trade_And_Position_Tracking_Design.md docs/tables.md

# The site of the documents, in site/: a link that leads nowhere stops it (but not with --quiet, which hides warnings).
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Needs uv. Resolves for every Python from 3.11 and for Linux and macOS at once.
lock:
	uv pip compile pyproject.toml --no-config --universal --python-version 3.11 --all-extras --upgrade \
	  --generate-hashes --custom-compile-command "make lock" --output-file requirements.lock

clean:
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis book data/demo
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
