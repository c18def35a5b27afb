.DEFAULT_GOAL := help
.PHONY: help demo test lint sanity unit fuzz attack integration chaos soak sdk gate bench docs sync clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS is handed on: make unit ARGS="-k pacer", make demo ARGS="-e demo_apps=20"'
	@echo '  PYTHONS names the Pythons to look for: make test PYTHONS="3.11"'

demo: ## record 50 emulated streams; needs no account
	@tests/run demo $(ARGS)

test: ## run every check there is
	@tests/run all

lint: ## style, types and documentation
	@tests/run lint $(ARGS)

sanity: ## ansible-test sanity
	@tests/run sanity $(ARGS)

unit: ## unit tests on each Python and ansible-core
	@tests/run unit $(ARGS)

fuzz: ## property-based tests of what servers, users and files may hold, with many examples
	@tests/run fuzz $(ARGS)

attack: ## hostile servers, files, names and secrets, other ones each time; ARGS are minutes, by default 5
	@tests/run attack $(ARGS)

integration: ## playbooks against the emulator
	@tests/run integration $(ARGS)

chaos: ## playbooks and operations while everything fails now and then
	@tests/run chaos $(ARGS)

soak: ## the same for long; ARGS are the seeds
	@tests/run soak $(ARGS)

sdk: ## the emulator against the official SDKs
	@tests/run sdk $(ARGS)

gate: ## plant faults and see that the checks find them
	@tests/run gate $(ARGS)

bench: ## measure the speed beside other ways; without ARGS, write docs/benchmark.md
	@tests/run bench $(ARGS)

docs: ## write the plugins' reference pages to .cache/docs
	@tests/run docs

sync: ## put the checkout under .cache/tree/ansible_collections
	@tests/run sync

clean: ## remove .cache
	@tests/run clean
