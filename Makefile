# All set-up happens here: a machine with Python 3.11 or newer and make needs nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/.ready

# What is imported is compiled once, by who imports it first; much of what is installed never is. Python's own
# environment variable would have every process of the tests compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-thorough check test-only collected page page-with-tools bench docs audit fmt clean
.PHONY: system-packages test-collected

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

setup: $(READY) ## Everything that is needed, into .venv

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

$(READY): $(UV) pyproject.toml uv.lock hatch_build.py ui/build_page.py native/build_native.py $(wildcard native/*.[ch])
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --quiet --frozen --all-extras --inexact
	@$(BIN)/python native/build_native.py
	@touch $@

page: $(READY) ## Build the web page
	$(BIN)/python ui/build_page.py

page-with-tools: $(READY)
	@$(BIN)/python ui/build_page.py --tools

demo: $(READY) page ## A change, from its pull request to the verdict in production
	$(BIN)/pilothouse demo

# Checking is a minute of one core: the other one installs what the tests need and begins with them. Both run to their end.
test: $(READY) ## All checks and all tests
	@$(MAKE) --no-print-directory --jobs=4 --keep-going check test-collected

test-thorough: export PILOTHOUSE_THOROUGH = 1
test-thorough: test ## The same with every case of the broad sweeps: an hour

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	nice -n 10 $(BIN)/mypy

# Many tests wait (for a process, a window, a retry) while a core is idle: twice as many processes as cores.
SIDE_BY_SIDE ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 2 )))

# What runs alone waits for most of its time. Meanwhile the others run, but give way to it: `nice` is a tenth of its weight.
# Both parts run whatever becomes of the other.
ALONE = $$(grep -rlE --include='test_*.py' 'mark\.alone\b' tests)

test-only: $(READY) page-with-tools system-packages
	@mkdir -p build; $(BIN)/pytest -m alone $(ALONE) >build/alone.txt 2>&1 & alone=$$!; \
	trap 'kill $$alone' INT TERM; \
	nice -n 10 $(BIN)/pytest -n $(SIDE_BY_SIDE) -m 'not alone'; side_by_side=$$?; \
	wait $$alone; alone=$$?; cat build/alone.txt; test $$alone -eq 0 && exit $$side_by_side

# What is fetched for the page and from the system is waited for, meanwhile tests are collected.
test-collected: collected page-with-tools system-packages
	@$(MAKE) --no-print-directory test-only

# Keeps the rewritten asserts of all tests, which each process of the tests would work out again.
collected: $(READY)
	@$(BIN)/pytest --collect-only --quiet --quiet >/dev/null || true

system-packages:
	@sh tests/install_system_packages.sh || true

bench: $(READY) page ## Measure; writes bench/RESULTS.md
	$(BIN)/python -m bench

docs: $(READY) ## Build the site of the docs into build/site
	$(BIN)/python -m mkdocs build --quiet --strict

audit: $(READY) ## Known vulnerabilities of what we depend on (asks PyPI's and OSV's advisories)
	@mkdir -p build
	$(UV) export --quiet --frozen --all-extras --no-emit-project --format requirements-txt --output-file build/audit.txt
	$(UV) tool run pip-audit --strict --disable-pip --require-hashes --requirement build/audit.txt

fmt: $(READY) ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

clean: ## Remove what was built
	rm -rf $(VENV) src/pilothouse/server/page ui/node_modules build dist
