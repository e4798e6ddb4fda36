# One environment in .venv, made from requirements.lock; every target brings it up to date first and does no work twice.
SHELL := /bin/bash
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := $(patsubst %/pyproject.toml,%,$(wildcard connectors/*/pyproject.toml))
MANIFESTS := pyproject.toml $(wildcard connectors/*/pyproject.toml)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE :=
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint docs bench lock clean

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
