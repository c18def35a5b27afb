.DEFAULT_GOAL := help

nox := tests/python tests/tools/with_nox.py -s

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS is handed on: make unit ARGS="-k slot_file", make demo ARGS="-e demo_apps=20"'
	@echo '  PYTHONS names the Pythons to look for: make test PYTHONS="3.11"'
	@echo '  Any session of noxfile.py is a target, too: make unit-newest ARGS="-k slot_file", make mypy'

demo: ## record 50 emulated streams; needs no account
	@tests/python tests/tools/demo.py $(ARGS)

test: ## run every check there is
lint: ## style, types and documentation; ARGS are the checks
sanity: ## ansible-test sanity
unit: ## unit tests on each Python and ansible-core
fuzz: ## property-based tests of what servers, users and files may hold, with many examples
attack: ## hostile servers, files, names and secrets, other ones each time; ARGS are minutes, by default 5
integration: ## playbooks against the emulator
chaos: ## playbooks and operations while everything fails now and then
soak: ## the same for long; ARGS are the seeds
page: ## the reports' page in a real browser
sdk: ## the emulator against the official SDKs
events: ## event sources, and the rulebook with a real ansible-rulebook
store: ## several controllers that share a quota through a real Redis or Valkey server
gate: ## plant faults and see that the checks find them
bench: ## measure the speed beside other ways; without ARGS, write docs/benchmark.md
docs: ## write the plugins' reference pages to .cache/docs, and the README's pictures
sync: ## put the checkout under .cache/tree/ansible_collections

common := test lint sanity unit fuzz attack integration chaos soak page sdk events store gate bench docs sync
.PHONY: help demo clean $(common)
$(common):
	@$(nox) $@ -- $(ARGS)

.DEFAULT:
	@$(nox) $@ -- $(ARGS)

clean: ## remove .cache
	@rm -rf .cache
