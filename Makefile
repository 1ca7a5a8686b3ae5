# `make help` lists what there is. Everything is harmless to repeat.
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready


.DEFAULT_GOAL := help
.PHONY: help up down wipe cloud toolchain check long engine test soak bench generate verify-official lock renew upgrade-engine

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(READY): requirements-dev.lock
	@echo "==> Python environment in $(VENV)"
	@python3 -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@# pip compiles with one process: 28 s instead of 8 s on two cores.
	@$(PYTHON) -m compileall -q -j 0 $(VENV)/lib
	@$(VENV)/bin/pip check --quiet --disable-pip-version-check
	@touch $@

up: $(READY) ## build everything and start the local IDR; ends when it answers
	@$(PYTHON) -m dev.local up

down: $(READY) ## stop the local IDR; its data stays
	@$(PYTHON) -m dev.local down

wipe: $(READY) ## stop the local IDR and delete its cloud, data and secrets
	@$(PYTHON) -m dev.local wipe

cloud: $(READY) ## only what `pulumi up -s local` needs: toolchain, guest image, running OpenStack
	@$(PYTHON) -m dev.local cloud

toolchain: $(READY) ## Python environment and Pulumi
	@dev/toolchain/install

check: $(READY) ## lint, types and unit tests; no cloud
	@$(PYTHON) -m dev.ci_images --check
	@$(PYTHON) -m dev.check

long: $(READY) ## the unit tests that need seconds of processor time; no cloud
	@$(PYTHON) -m pytest --quiet --all-programs -m long -n 3 --dist loadfile tests/unit

engine: toolchain ## the tests with Pulumi's engine and plugins; no cloud
	@$(PYTHON) -m pytest -n 3 --dist loadfile --durations 10 tests/engine

test: check long engine ## adds those, tests on the engine and the end-to-end tests on the local OpenStack
	@$(PYTHON) -m pytest --durations 30 tests/cloud

soak: $(READY) ## the long rest: every node rebuilt, every event interrupted, the guide from top to bottom, NFS
	@$(PYTHON) -m pytest tests/soak

bench: $(READY) ## the figures, measured on this machine; needs the cloud
	@$(PYTHON) -m bench
	@$(PYTHON) -m bench roles

generate: $(READY) ## renew what is made from the code: schemas, settings reference, picture, golden files
	@$(PYTHON) -m model.schema
	@$(PYTHON) -m model.outputs.schema
	@$(PYTHON) -m idr diagram --stack ebi --output docs/ebi.svg
	@$(PYTHON) -m tests.golden_files

verify-official: $(READY) ## the true OMERO.server, where there is internet: STACK=uod, SERVER=<running read-write node>
	@$(PYTHON) -m dev.verify_official --stack $(or $(STACK),uod) $(if $(SERVER),--server $(SERVER))

lock: $(READY) ## renew the lock files: hashes, no index lines; versions stay where they can
	@$(PYTHON) -m dev.lock_files

renew: $(READY) ## newest versions in all lock files, newest images in CI (needs skopeo); a workflow proposes it weekly
	@$(PYTHON) -m dev.lock_files --upgrade
	@$(PYTHON) -m dev.ci_images

upgrade-engine: $(READY) ## other versions of Pulumi's engine or a provider: VERSIONS="pulumi==3.260.0"; leaves a diff to review
	@$(PYTHON) -m dev.engine_versions $(VERSIONS)
	@$(MAKE) --no-print-directory $(READY)
	@$(PYTHON) dev/toolchain/generate_tokens.py
	@$(MAKE) --no-print-directory toolchain generate
	@$(PYTHON) -m pytest tests/unit/toolchain
	@$(MAKE) --no-print-directory engine
