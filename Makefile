# Works from a clean clone with Python (3.11 or newer) and make alone: each target brings what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What `make demo` needs is lighter than what the tests need; each is installed once, and again when pyproject.toml changes.
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
# Two processes, each beginning with its half of the tests: most of them wait for a server or a disk now and then.
BESIDE := -n 2 --dist worksteal

.PHONY: demo test check bench prove clean browser screenshots
.DEFAULT_GOAL := help

help:
	@echo "make demo    a bookshop that gets to know you, at http://127.0.0.1:8000"
	@echo "make test    the tests"
	@echo "make check   lint, types, import contracts, docs"
	@echo "make bench   the benchmark tables"
	@echo "make prove   the slow proofs, into proofs.json"
	@echo "make screenshots   pictures of the demo, into docs/pictures"

$(CORE): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(DEV): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(CORE)

demo: $(CORE)
	$(BIN)/tactful demo $(DEMO)

# Chromium is for the browser tests. Where it can be installed it is; elsewhere those tests skip, and say so.
browser:
	@command -v chromium >/dev/null 2>&1 || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else echo "No chromium: the browser tests will be skipped. On Debian: apt-get install chromium"; fi; }

test: $(DEV) browser
	$(BIN)/python -m pytest $(BESIDE) --ignore=tests/docs $(TESTS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(BESIDE) tests/docs

bench: $(DEV)
	$(BIN)/python -m benchmarks $(BENCH)

prove: $(DEV)
	$(BIN)/python -m pytest --prove -m prove $(TESTS)

screenshots: $(DEV) browser
	$(BIN)/python docs/make_screenshots.py

clean:
	rm -rf $(VENV) .demo proofs.json
