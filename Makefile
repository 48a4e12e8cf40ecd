# moviellm: `make demo` shows it, `make test` proves it, `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HELM := .tools/helm
AUDIT := .tools/audit
THEME ?= a lighthouse keeper who finds a message
DEMO_ID ?= demo
MINUTES ?= 10
SEED ?= 1

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[36mmake %-11s\033[0m %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "moviellm needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

setup: $(READY) ## Make the virtual environment

demo: $(READY) ## Make a small dataset from THEME="…" on this machine and say where to look
	$(BIN)/moviellm demo --theme "$(THEME)" --id "$(DEMO_ID)"

$(HELM): tests/deploy/tools.txt tests/deploy/fetch_helm.py | $(READY)
	$(BIN)/python tests/deploy/fetch_helm.py $@

chart: $(READY) $(HELM) ## Check the Helm chart
	$(BIN)/python tests/deploy/values_schema.py --check
	$(BIN)/python -m pytest tests/deploy

test: $(READY) $(HELM) ## Check the code and run the tests, both at once
	+$(MAKE) --no-print-directory -j2 check pytest

pytest: $(READY) $(HELM)
	$(BIN)/python -m pytest

e2e: $(READY) $(HELM) ## Hold the cluster of the current kubectl context to what the tests expect (changes it)
	MOVIELLM_CLUSTER_TESTS=1 $(BIN)/python -m pytest tests/cluster

e2e-bare: $(READY) $(HELM) ## The same on a bare API server with etcd, whose programs are found by docs/resource.md
	$(BIN)/python tests/cluster/bare_cluster.py $(MAKE) e2e

images: ## Build the container images of all services (Docker); GPU=1 for those with CUDA
	$(PYTHON) deploy/local/images.py --latest $(if $(GPU),--gpu)

images-test: $(READY) ## Build the images and run the whole pipeline in containers (Docker)
	MOVIELLM_IMAGE_TESTS=1 $(BIN)/python -m pytest tests/images --timeout 3600

up: ## Everything in a Kubernetes cluster on this machine (kind), with a first dataset from THEME="…"
	THEME="$(THEME)" $(PYTHON) deploy/local/cluster.py up

status: ## How that cluster is
	@$(PYTHON) deploy/local/cluster.py status

down: ## Remove that cluster
	@$(PYTHON) deploy/local/cluster.py down

check: $(READY) ## ruff, mypy, import-linter, buf, drift of generated code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint proto
	$(BIN)/python tests/generated_code.py --check
	$(BIN)/python tests/settings_page.py --check
	$(BIN)/python tests/deploy/values_schema.py --check

fix: $(READY) ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: $(READY) ## Generate the Python stubs from proto/
	$(BIN)/python tests/generated_code.py

docs: $(READY) ## Write docs/settings.md and the chart's values.schema.json from the settings classes
	$(BIN)/python tests/settings_page.py
	$(BIN)/python tests/rules_page.py
	$(BIN)/python tests/metrics_page.py
	$(BIN)/python tests/deploy/values_schema.py

$(AUDIT): tests/audit/tools.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install --quiet --disable-pip-version-check -r tests/audit/tools.txt
	touch $(AUDIT)

audit: $(READY) $(AUDIT) ## Check pins, licences and known weaknesses of all dependencies
	$(BIN)/python tests/audit $(AUDIT)/bin/pip-audit

lock: $(AUDIT) ## Write requirements.lock, with hashes, from pyproject.toml and constraints.txt
	$(BIN)/python tests/audit/lock.py $(AUDIT)/bin/uv

fuzz: $(READY) ## Send 10,000 generated requests to every RPC (long)
	MOVIELLM_FUZZ_REQUESTS=$${MOVIELLM_FUZZ_REQUESTS:-10000} $(BIN)/python -m pytest tests/fuzz -s --timeout 7200

bench: $(READY) ## Measure against baselines and print the ratios (ONLY="controller store")
	$(BIN)/python -m bench $(ONLY)

soak: $(READY) ## Make a dataset while everything is killed, paused, cut and filled (MINUTES=10 SEED=1)
	cd tests && ../$(BIN)/python -m soak --minutes $(MINUTES) --seed $(SEED)

pocket: $(READY) ## Train the embedded picture model anew (long)
	$(BIN)/python -m moviellm.pocket train

clean: ## Remove what the other targets made
	rm -rf $(VENV) .tools .moviellm out

.PHONY: help setup demo chart test pytest e2e e2e-bare images images-test up status down check fix proto docs audit lock fuzz bench soak pocket clean
