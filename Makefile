# Everything runs in .venv, made from requirements.lock when it is missing or out of date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready profiles.yml
REGISTRY := $(VENV)/registry
EMULATORS := $(VENV)/emulators
PEERS := $(VENV)/peers
BROWSER := $(VENV)/browser
# uv finds a Python on the path, but not inside pyenv; where there is none it downloads one.
PYTHON_3_13 ?= $(or $(lastword $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13.*/bin/python)),3.13)
ON_TARGET = $(if $(TARGET),--target $(TARGET))
export PULLSTATS_DUCKDB ?= warehouse.duckdb

.PHONY: help demo test lint accuracy bench soak docs report screenshots function lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: $(READY) ## load the sample logs into warehouse.duckdb, build the marts, show the answer
	$(BIN)/pullstats load examples/logs
	$(BIN)/dbt --quiet build --exclude-resource-type unit_test
	$(BIN)/pullstats query examples/answer.sql

test: $(READY) $(EMULATORS)/.ready $(REGISTRY)/.ready $(BROWSER)/.ready ## all that CI runs: lint, types, dbt's tests, the loader's, both together
	PATH=$(CURDIR)/$(BIN):$$PATH scripts/lint
	$(BIN)/python -m pytest --numprocesses auto --dist loadgroup $(PYTEST)

lint: $(READY) ## the checks of test that read the code only
	PATH=$(CURDIR)/$(BIN):$$PATH scripts/lint

accuracy: $(READY) ## compare the examples' marts with their truth; rewrites the tables of docs/counting.md
	$(BIN)/python -m tests.accuracy

bench: $(READY) $(PEERS)/.ready ## what load and build cost beside others, and how it grows (ROWS=1000000)
	$(BIN)/python -m bench.run --rows $(or $(ROWS),1000000)

soak: $(READY) $(EMULATORS)/.ready ## the long forms of the tests that kill, and of those that shuffle arrivals
	$(BIN)/python -m pytest --soak tests/test_kill.py tests/cloud/test_kill.py tests/test_arrivals.py

docs: $(READY) ## the models' documentation as one page, target/static_index.html (TARGET=local)
	$(BIN)/dbt docs generate --static $(ON_TARGET)
	scripts/mend_docs_page target/static_index.html

report: $(READY) ## what is pulled, as one page, target/report.html (TARGET=local)
	$(BIN)/python -m report $(ON_TARGET)

screenshots: $(READY) $(BROWSER)/.ready ## the pictures of README, from the examples
	$(BIN)/python -m tests.screenshots

COMPILE = $(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock' --quiet
lock: $(VENV)/.ready ## pin what pyproject.toml asks for, with hashes
	$(COMPILE) pyproject.toml --extra dev --universal --python-version 3.11 -o requirements.lock
	$(COMPILE) --group emulators --python-version 3.13 -o emulators.lock
	$(COMPILE) --group peers --universal --python-version 3.11 -o peers.lock

function: $(READY) ## build/function, the source of the Cloud Run function
	rm -rf build/function && mkdir -p build/function
	cp -r loader logformat build/function
	echo 'from loader.main import load_log_object as load_log_object' > build/function/main.py
	printf '%s\n' functions-framework google-cloud-bigquery google-cloud-storage \
	    | $(COMPILE) --constraint requirements.lock --python-version 3.11 - -o build/function/requirements.txt

clean: ## remove the demo's database and what dbt wrote
	rm -rf build target logs warehouse.duckdb warehouse.duckdb.wal warehouse.duckdb.raw


$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "pullstats needs Python 3.11 or later: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	    || { echo "$(PYTHON) has no venv: on Debian and Ubuntu install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	touch $@

# A registry, and a client that pushes to it, for tests/inventory.
$(REGISTRY)/.ready: scripts/unpack_packages $(VENV)/.ready
	scripts/unpack_packages $(REGISTRY) docker-registry skopeo
	touch $@

# What bench/peers.py runs.
$(PEERS)/.ready: peers.lock scripts/unpack_packages $(VENV)/.ready
	$(PYTHON) -m venv --clear $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS) --no-deps --require-hashes -r peers.lock
	scripts/unpack_packages $(PEERS)/goaccess goaccess
	touch $@

# A browser that opens the pages in tests/test_pages.py, unless the machine has one: see tests/browser.py.
$(BROWSER)/.ready: scripts/unpack_packages $(VENV)/.ready
	mkdir -p $(BROWSER)
	command -v chromium google-chrome >/dev/null || scripts/unpack_packages $(BROWSER) chromium-headless-shell
	touch $@

# Stand-ins for BigQuery and Cloud Storage: see tests/emulators.py. DuckDB's extensions come as wheels
# and are installed into a home of their own.
$(EMULATORS)/.ready: emulators.lock $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear --python $(PYTHON_3_13) $(EMULATORS)
	$(BIN)/uv pip install --quiet --python $(EMULATORS) --no-deps --require-hashes -r emulators.lock
	cd $(EMULATORS) && for file in lib/python3.13/site-packages/duckdb_extension_*/extensions/*/*; do \
	    HOME=$$PWD bin/python -c "import duckdb; duckdb.sql('install \"$$file\"')" || exit; done
	touch $@

profiles.yml:
	cp profiles.yml.example $@
