# Everything happens in tools/dev.py, which also runs where there is no make: python3 tools/dev.py demo
PYTHON ?= python3
ACTIONS := demo test check install bench fix lock reference

.PHONY: help $(ACTIONS)

help:
	@$(PYTHON) tools/dev.py --help

$(ACTIONS):
	@$(PYTHON) tools/dev.py $@
