# Each target sets up what it needs: a virtual environment in .venv, Azurite in .tools. Both are made once, and again when
# the pinned versions change. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo serve doctor test quick lint format bench package lock audit clean

PYTHON := .venv/bin/python
VENV := .venv/.installed
AZURITE := .tools/azurite/.installed
TOOL := .tools/python/bin
TOOLS := .tools/python/.installed
PEERS := .tools/peers/.installed
LINTED := function_app.py functions shared dev tests
QUICK := $(wildcard tests/unit tests/functions tests/docs tests/host tests/infra)
# With one core, tests that start servers are faster one after the other.
WORKERS ?= 2

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(VENV) $(AZURITE) ## virtual environment and Azurite

demo: $(VENV) $(AZURITE) ## sync a made-up company with three mailboxes and tell the story (CONTACTS=file.csv: your contacts)
	@$(PYTHON) -m dev.demo $(if $(CONTACTS),"$(CONTACTS)")

serve: $(VENV) $(AZURITE) ## the app with simulators and storage, until Ctrl-C
	@$(PYTHON) -m dev.serve

doctor: $(VENV) $(if $(SIMULATED),$(AZURITE)) ## whether an installation can work (MAILBOX= COMPANY= WRITE=1 PROBE=1 SIMULATED=1; docs/doctor.md)
	@$(PYTHON) -m dev.doctor $(if $(MAILBOX),--mailbox "$$MAILBOX") $(if $(COMPANY),--company "$$COMPANY") \
		$(if $(WRITE),--write) $(if $(PROBE),--probe) $(if $(SIMULATED),--simulated)

bench: $(VENV) $(AZURITE) $(if $(or $(findstring peers,$(ONLY)),$(if $(ONLY),,all)),$(PEERS)) ## requests, rows and seconds that runs cost (ONLY=name,name: some of them)
	@$(PYTHON) -m dev.bench $(if $(ONLY),"$(ONLY)")

test: lint $(AZURITE) ## lint and all tests; what continuous integration runs
	@$(PYTHON) -m pytest -n $(WORKERS) --dist loadscope

quick: $(VENV) ## the tests that need no servers, in seconds
	@$(PYTHON) -m pytest -m "not integration and not slow" $(QUICK)

lint: $(VENV) ## format, lint, types, import rules
	@$(PYTHON) -m ruff format --check --quiet $(LINTED) || { echo "Run make format."; exit 1; }
	@$(PYTHON) -m ruff check --quiet $(LINTED)
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo

format: $(VENV) ## format the code, mend what ruff can mend
	@$(PYTHON) -m ruff format $(LINTED)
	@$(PYTHON) -m ruff check --fix $(LINTED)

package: $(VENV) ## what is deployed, as dist/contact-sync.zip; the same files give the same bytes
	@$(PYTHON) -m dev.infra.package dist/contact-sync.zip

lock: $(TOOLS) ## requirements.txt and the development's out of the .in files, pinned and with hashes (UPGRADE=1: newest)
	@for each in requirements dev/requirements dev/tools dev/bench/peers/requirements; do \
		$(TOOL)/uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.13 \
			--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) $$each.in -o $$each.txt; \
	done

audit: $(TOOLS) ## known vulnerabilities of what runs in Azure; says which packages it could not look up
	@$(TOOL)/pip-audit --disable-pip --progress-spinner off --skip-editable -r requirements.txt

clean: ## remove everything that make made
	rm -rf dist .venv .tools .azurite .state .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV): requirements.txt dev/requirements.txt dev/setup/python.sh
	@dev/setup/python.sh

$(TOOLS): dev/tools.txt $(VENV)
	@$(PYTHON) -m venv --clear .tools/python
	@$(TOOL)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r dev/tools.txt
	@touch $@

$(PEERS): dev/bench/peers/requirements.txt $(VENV)
	@echo "Installing what the bench compares with ..."
	@$(PYTHON) -m venv --clear .tools/peers
	@.tools/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
		-r dev/bench/peers/requirements.txt </dev/null
	@touch $@

$(AZURITE): dev/setup/azurite/package.json dev/setup/azurite/package-lock.json dev/setup/azurite.sh
	@dev/setup/azurite.sh
