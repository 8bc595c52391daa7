# Everything runs in .venv. requirements/ pins what is installed there: run.lock what DuckDB needs,
# report.lock adds the report, docs.lock the documentation's site, cloud.lock BigQuery and Cloud Storage, dev.lock all that tests need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run profiles.yml
DEV := $(VENV)/.dev profiles.yml
UV := $(BIN)/python scripts/uv_as_pip.py
REGISTRY := $(VENV)/registry
EMULATORS := $(VENV)/emulators
GOACCESS := $(VENV)/goaccess
BROWSER := $(VENV)/browser
# Many processes start, and each would compile again all that it imports.
unexport PYTHONDONTWRITEBYTECODE
TESTS_NEED := $(DEV) $(EMULATORS)/.ready $(REGISTRY)/.ready $(BROWSER)/.ready
# uv finds a Python on the path, but not inside pyenv.
PYTHON_3_13 ?= $(or $(lastword $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13.*/bin/python)),3.13)
ON_TARGET = $(if $(TARGET),--target $(TARGET))
REPORT := $(VENV)/$(if $(filter bigquery,$(TARGET)),.cloud,.report)
# Your own database; the demo's as long as there is none.
export PULLSTATS_DUCKDB ?= $(if $(wildcard warehouse.duckdb),warehouse.duckdb,demo/warehouse.duckdb)

.PHONY: help demo dev bigquery report docs test lint pytest accuracy bench soak screenshots function lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: export PULLSTATS_DUCKDB = demo/warehouse.duckdb
demo: $(RUN) ## load the sample logs into demo/, build the marts, show the answer
	@mkdir -p demo
	@tar -xzf examples/artifact_registry.tar.gz -C demo
	@scripts/step "Loading a bucket's logs" \
	    $(BIN)/pullstats load examples/logs demo/artifact_registry/bucket_logs
	@scripts/step "Loading Artifact Registry's logs" $(BIN)/pullstats load demo/artifact_registry/logs
	@scripts/step "Building the tables with dbt" \
	    $(BIN)/dbt --quiet build --exclude-resource-type test unit_test
	@scripts/step "Compiling the questions" $(BIN)/pullstats ask most_pulled_images --limit 0
	@$(BIN)/pullstats ask most_pulled_images --limit 10
	@$(BIN)/pullstats ask most_requested_tags --limit 5
	@$(BIN)/pullstats ask pulls_per_traffic_class
	@cat examples/next_steps.txt

dev: $(DEV) ## install all that tests need

bigquery: $(VENV)/.cloud profiles.yml ## install what loads and builds on BigQuery
	@echo "Next: docs/deploy.md"

report: $(RUN) $(REPORT) ## what is pulled, as one page, target/report.html (TARGET=bigquery)
	$(BIN)/python -m report $(ON_TARGET)

docs: $(RUN) $(VENV)/.docs ## the documentation with all tables and columns, target/site; dbt's own page with the lineage beside it
	$(BIN)/dbt docs generate --static $(ON_TARGET)
	$(BIN)/python scripts/docs_site.py target/manifest.json build/docs
	$(BIN)/zensical build --config-file mkdocs.yml --strict
	cp target/static_index.html target/site/lineage.html

test: $(TESTS_NEED) ## all that CI runs: lint, types, dbt's tests, the loader's, both together
	@$(MAKE) --no-print-directory --jobs 2 lint pytest

lint: $(DEV) ## the checks that only read the code
	PATH=$(CURDIR)/$(BIN):$$PATH scripts/lint

pytest: $(TESTS_NEED) ## the tests (PYTEST=integration_tests/bigquery)
	$(BIN)/python -m pytest --numprocesses auto --durations 15 $(PYTEST)

soak: $(DEV) $(EMULATORS)/.ready ## the long forms of some tests: builds killed and stopped, arrivals shuffled, more variants of recordings, all models emulated, all unit tests on GoogleSQL
	$(BIN)/python -m pytest --soak integration_tests/test_kill.py loader/tests/cloud/test_kill.py integration_tests/test_arrivals.py \
	    integration_tests/test_whole_days.py integration_tests/test_laws.py integration_tests/test_laws_of_audit_logs.py \
	    integration_tests/bigquery/test_incremental.py integration_tests/bigquery/test_emulator.py \
	    integration_tests/bigquery/test_reference.py

accuracy: $(DEV) ## compare the examples' marts with their truth; rewrites the tables of docs/counting.md
	$(BIN)/python -m integration_tests.accuracy
	$(BIN)/python -m integration_tests.accuracy_artifact_registry

bench: $(DEV) $(GOACCESS)/.ready ## what load and build cost beside others, and how it grows (ROWS=1000000)
	$(BIN)/python -m bench.run --rows $(or $(ROWS),1000000)

screenshots: $(DEV) $(BROWSER)/.ready ## the pictures of README, from the examples
	$(BIN)/python -m integration_tests.screenshots
	PULLSTATS_DUCKDB=demo/warehouse.duckdb $(BIN)/dbt --quiet parse
	$(BIN)/python scripts/lineage.py target/manifest.json README.md

COMPILE = $(UV) pip compile --generate-hashes --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock' --quiet
LIKE_DEV = --constraint requirements/dev.lock --universal --python-version 3.11
lock: $(VENV)/.uv ## pin what pyproject.toml asks for, with hashes
	$(COMPILE) pyproject.toml --extra dev --universal --python-version 3.11 -o requirements/dev.lock
	$(COMPILE) pyproject.toml $(LIKE_DEV) -o requirements/run.lock
	$(COMPILE) pyproject.toml --extra report $(LIKE_DEV) -o requirements/report.lock
	$(COMPILE) pyproject.toml --extra docs $(LIKE_DEV) -o requirements/docs.lock
	$(COMPILE) pyproject.toml --extra report --extra bigquery $(LIKE_DEV) -o requirements/cloud.lock
	$(COMPILE) --group bootstrap $(LIKE_DEV) -o requirements/bootstrap.lock
	$(COMPILE) --group emulators --python-version 3.13 -o requirements/emulators.lock

function: $(VENV)/.uv ## build/function, the source of the Cloud Run function
	rm -rf build/function && mkdir -p build/function
	cp -r loader/pullstats build/function && rm -r build/function/pullstats/registry_inventory build/function/pullstats/networks.py
	cp examples/function/main.py build/function
	printf '%s\n' functions-framework duckdb google-cloud-bigquery google-cloud-storage google-crc32c \
	    | $(COMPILE) --constraint requirements/dev.lock --python-version 3.11 - -o build/function/requirements.txt

clean: ## remove the demo's database and what make and dbt wrote; your own database stays
	rm -rf build demo target logs/dbt.log*


INSTALL = $(UV) pip install --quiet --python $(VENV) --no-deps

$(VENV)/.uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "pullstats needs Python 3.11 or later: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	    || { echo "$(PYTHON) has no venv: on Debian and Ubuntu install python3-venv"; exit 1; }
	@scripts/step "Creating $(VENV) with $$($(PYTHON) --version)" $(PYTHON) -m venv $(VENV)
	@scripts/step "Downloading the installer, uv (18 MB)" \
	    $(BIN)/python -m pip install -qq --no-deps --require-hashes -r $<
	@touch $@

$(VENV)/.run: requirements/run.lock pyproject.toml $(VENV)/.uv
	@scripts/step "Downloading and installing dbt, DuckDB and what they need (60 packages, 52 MB)" \
	    $(INSTALL) --compile-bytecode --require-hashes -r $<
	@scripts/step "Installing pullstats" $(INSTALL) --no-build-isolation -e .
	@install -d -m 700 logs
	@touch $@

$(VENV)/.%: requirements/%.lock $(VENV)/.run
	@scripts/step "Downloading and installing what $< adds" $(INSTALL) --require-hashes -r $<
	@touch $@

# A registry, and a client that pushes to it, for loader/tests/inventory.
$(REGISTRY)/.ready: scripts/unpack_packages $(VENV)/.uv
	@scripts/step "Downloading a registry and a client" scripts/unpack_packages $(REGISTRY) docker-registry skopeo
	@touch $@

# What bench/peers.py runs.
$(GOACCESS)/.ready: scripts/unpack_packages $(VENV)/.uv
	@scripts/step "Downloading GoAccess" scripts/unpack_packages $(GOACCESS) goaccess
	@touch $@

# A browser that opens the pages in integration_tests/test_report_page.py, unless the machine has one: see integration_tests/browser.py.
$(BROWSER)/.ready: scripts/unpack_packages $(VENV)/.uv
	@mkdir -p $(BROWSER)
	@command -v chromium google-chrome >/dev/null || scripts/step "Downloading a browser" \
	    scripts/unpack_packages $(BROWSER) chromium-headless-shell
	@touch $@

# Emulators of BigQuery and Cloud Storage: see integration_tests/emulators.py. DuckDB's extensions come as wheels
# and are installed into a home of their own.
$(EMULATORS)/.ready: requirements/emulators.lock $(VENV)/.uv
	@scripts/step "Creating $(EMULATORS) with Python 3.13" \
	    $(UV) venv --quiet --clear --no-python-downloads --python $(PYTHON_3_13) $(EMULATORS)
	@scripts/step "Downloading and installing the emulators" \
	    $(UV) pip install --quiet --python $(EMULATORS) --no-deps --require-hashes -r $<
	@cd $(EMULATORS) && for file in lib/python3.13/site-packages/duckdb_extension_*/extensions/*/*; do \
	    HOME=$$PWD bin/python -c "import duckdb; duckdb.sql('install \"$$file\"')" || exit; done
	@touch $@

profiles.yml:
	@cp profiles.yml.example $@
