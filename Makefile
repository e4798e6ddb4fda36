# One environment in .venv, made from requirements.lock; every target brings it up to date first and does no work twice.
SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard connectors/*/pyproject.toml))
MANIFESTS := pyproject.toml $(wildcard connectors/*/pyproject.toml)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-real lint docs bench lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/installed ## make the environment .venv from requirements.lock

$(BIN)/uv: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make setup: $(PYTHON) is older than Python 3.11. Next: install Python 3.11 or newer, or name it: make setup PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.lock
	@touch $@

$(VENV)/locked: requirements.lock $(BIN)/uv
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@touch $@

$(VENV)/installed: $(VENV)/locked $(MANIFESTS)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(foreach package,. $(PACKAGES),-e $(package))
	@touch $@

lock: $(BIN)/uv ## resolve pyproject.toml again into requirements.lock (names, versions, hashes)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --no-header --no-annotate pyproject.toml -o requirements.lock

demo: setup ## run the whole loop on Aurora, the demo company, and write demo/report.html
	@snello demo

test: setup packages ## set everything up and run all tests but the long ones and those that need a heavy server
	@pytest -n 3 --dist loadfile -m "not real and not long" # who takes which tests: tests/conftest.py

test-long: setup packages ## the long tests: histories, guides, the channels' stories, every way of every connector
	@pytest -n 3 --dist loadfile -m "long and not real"

test-real: setup packages ## the tests against heavy servers: Tryton, SAP CAP, Medusa, Vendure, Bluesky (installs them first)
	@pytest -n 2 --dist loadfile -m real

lint: setup ## ruff, mypy, sqlfluff, import floors, dependencies
	@ruff check .
	@ruff format --check .
	@mypy src $(PACKAGES)
	@cd transform && sqlfluff lint --processes 2 .
	@pytest -q -p no:cacheprovider tests/test_architecture.py
	@deptry .

docs: setup ## make the reference pages of docs/ again from the code
	@python -m snello.cli.reference docs/reference

# Parts of benches, that measure nothing by themselves.
PARTS := bench/peers.py $(addprefix bench/identity/,$(addsuffix .py,alone attacks_on_clusters attacks_on_hub dbt_run \
	febrl_peers gauge goldenmatch_alone outcome project severe shipped_parameters))
bench: setup ## measure, beside the peers (long: minutes to an hour; peers live in .venv-bench)
	@for script in $(filter-out $(PARTS),$(wildcard bench/*.py bench/*/*.py)); do echo "== $$script"; python $$script || exit $$?; done

clean: ## remove the environments and everything the demo made
	@-test -x $(BIN)/snello && $(BIN)/snello demo down
	@rm -rf $(VENV) .venv-bench .venv-servers demo state .meltano transform/target transform/logs

# Servers and a browser that tests start and that are no Python packages: command and Debian package. What is missing is
# installed where that is allowed; else the tests that need it say so and are counted as skipped.
DEBIAN := chromium:chromium mariadbd:mariadb-server sshd:openssh-server dovecot:dovecot-imapd redis-server:redis-server
.PHONY: packages
packages:
	@missing=""; for pair in $(DEBIAN); do \
		command -v "$${pair%%:*}" >/dev/null || test -x "/usr/sbin/$${pair%%:*}" || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
	else echo "make test: without the Debian packages$$missing some tests will be skipped. Next: apt-get install$$missing"; fi
