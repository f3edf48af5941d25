# One command each. Everything is installed into .venv, az into a folder of its own outside the tree.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
AZ_VERSION := 2.91.0
AZ_VENV ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/acr-console/az-$(AZ_VERSION)
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: run sandbox test browser-test client-test record bench screenshots clean

run: $(VENV)/.run ## the console at http://127.0.0.1:8501, on the sandbox unless Azure is configured
	$(BIN)/streamlit run app.py --server.port $(PORT)

sandbox: $(VENV)/.run ## the sandbox alone, for az, skopeo and docker
	$(BIN)/python -m sandbox --data .sandbox-alone --ready-file .sandbox-alone/ready.json

test: $(VENV)/.dev ## format, lint, types, and every test that needs no browser and no other client
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not browser and not client"

browser-test: $(VENV)/.dev ## the whole console in Chromium
	$(BIN)/python -m pytest -m browser tests/browser

client-test: $(VENV)/.dev $(AZ_VENV)/.installed ## az and skopeo against the sandbox
	AZ_BIN=$(AZ_VENV)/bin/az $(BIN)/python -m pytest -m client tests/clients

record: $(VENV)/.dev ## records tests/cassettes anew, against the sandbox
	rm -f tests/cassettes/*
	$(BIN)/python -m pytest --record-mode=rewrite tests/services/test_cassettes.py

bench: $(VENV)/.dev ## measures, as ratios in one run, into benchmarks/results.json
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/.dev ## the pictures in docs/screenshots, from the console on the estate
	mkdir -p docs/screenshots
	SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -m browser tests/browser

$(VENV)/.run: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/python $(PIP) -r requirements-dev.txt
	touch $@

$(AZ_VENV)/.installed:
	$(PYTHON) -m venv $(AZ_VENV)
	$(AZ_VENV)/bin/python $(PIP) azure-cli==$(AZ_VERSION)
	touch $@

clean:
	rm -rf $(VENV) .sandbox .sandbox-alone .mypy_cache .ruff_cache .pytest_cache .hypothesis
