# Every target sets up what it needs in .venv by itself; Python, make and git suffice.

PYTHON ?= python3
# Another Python has an environment of its own: make test PYTHON=python3.13.
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2] + sys.abiflags)'))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := 26.3
# What tests use where it is there; make test-without hides it.
OPTIONAL := nginx,aria2c,rclone,ip,cc,zsh,fish,bash,curl,mount,pyright,python2.7,python3.8
PYTEST = -m pytest -n auto --maxprocesses=4 --dist worksteal

.PHONY: help demo test fuzz test-long test-without coverage coverage-record mutants surface \
	generate generate-check async release-description operations cli-reference lint typecheck \
	picture walks hooks lines lines-record docs build serve bench clean

help:  ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1 - \2/p' $(MAKEFILE_LIST)

demo: $(READY)  ## Start a Brood and do the main job with it, step by step
	$(BIN)/python scripts/demo.py

test: $(READY)  ## Run the tests that a change needs at once
	$(BIN)/python $(PYTEST)

test-long: $(READY)  ## Run the other tests: what takes minutes, or resembles others
	$(BIN)/python $(PYTEST) -m long

test-without: $(READY)  ## Run the tests that look for optional programs, with all of those hidden
	HATCHER_TEST_WITHOUT=$(OPTIONAL) $(BIN)/python $(PYTEST) -m "programs and not long"

coverage: $(READY)  ## Run what test runs; fail if fewer branches of a package are covered than before
	rm -rf .cache/coverage
	$(BIN)/coverage run $(PYTEST)
	@$(BIN)/python -m scripts.branches --check

coverage-record: $(READY)  ## Record the branches that the last coverage covered
	$(BIN)/python -m scripts.branches

mutants: $(READY)  ## Make 100 changes to the code that matter; fail if tests notice fewer than 90
	$(BIN)/python -m scripts.mutants

surface: $(READY)  ## Renew tests/surface, the names and commands that users build on
	$(BIN)/python -m scripts.surface

# For longer: make fuzz SECONDS=600
fuzz: $(READY)  ## Feed odd files, names, URLs and requests to every door, for a minute
	HATCHER_FUZZ_SECONDS=$(or $(SECONDS),60) $(BIN)/python -m pytest -q tests/fuzz

generate: $(READY)  ## Renew generated/brood_api from openapi/brood.yaml; show what changes for users
	$(BIN)/python scripts/generate.py
	@$(BIN)/python -m scripts.changes || true

async: $(READY)  ## Make hatcher/aio, the graph for async programs, from the sync graph
	$(BIN)/python -m scripts.make_async

generate-check: $(READY)  ## Fail if generated/brood_api is not what generate makes, or breaks users unawares
	$(BIN)/python scripts/generate.py --check
	$(BIN)/python -m scripts.changes

release-description: $(READY)  ## Make the description of today the released one
	$(BIN)/python -m scripts.changes --release

operations: $(READY)  ## Renew docs/operations.md; fail if an operation lacks something
	$(BIN)/python -m scripts.operations

cli-reference: $(READY)  ## Renew docs/command-line/reference.md from the commands
	$(BIN)/python -m scripts.cli_reference

lint: $(READY)  ## Check style, imports, the async graph, the surface, mutants, operations, budgets, the picture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.make_async --check
	$(BIN)/python -m scripts.surface --check
	$(BIN)/python -m scripts.mutants --check
	$(BIN)/python -m scripts.operations --missing
	$(BIN)/python -m scripts.line_budget --check
	$(BIN)/python -m scripts.picture --check

typecheck: $(READY)  ## Check the types, strictly
	$(BIN)/mypy

picture: $(READY)  ## Draw docs/house.svg, the packages and what imports what
	$(BIN)/python -m scripts.picture

walks: $(READY)  ## Renew the walks of CONTRIBUTING.md, from a real run
	$(BIN)/python -m scripts.walks

hooks: $(READY)  ## Check style and types before each commit, from now on
	$(BIN)/python -m pip install --quiet --group hooks
	$(BIN)/pre-commit install

lines: $(READY)  ## Count lines of code beside their budgets
	$(BIN)/python -m scripts.line_budget

lines-record: $(READY)  ## Lower the budgets to the lines of today
	$(BIN)/python -m scripts.line_budget --record

docs: $(READY)  ## Build the manual into docs/_build
	$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going docs docs/_build

build: $(READY)  ## Build the sdist and the wheel into dist/
	$(BIN)/python -m build

serve: $(READY)  ## Run the embedded Brood, with its data in .brood
	$(BIN)/hatcher serve --data .brood

# For less than everything: make bench CASES='download upload --rounds 3'.
bench: $(READY)  ## Measure beside the existing client, and far away; takes about 25 minutes
	$(BIN)/python -m scripts.bench $(CASES)

clean:  ## Remove the environment and everything built
	rm -rf .venv .venv-* dist docs/_build .cache .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hatcher needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet pip==$(PIP)
	$(BIN)/python -m pip install --quiet --editable '.[testing]' --group dev
	@touch $(READY)
