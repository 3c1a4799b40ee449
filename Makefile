# Every target sets itself up: a .venv of its own from pinned requirements, made anew when the pins change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test check slow docs bench pins clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $(READY)

demo: $(READY)  ## the shipped events on simulated prices: tables, planted beside recovered, an HTML report
	$(BIN)/eventstudy demo

test: $(READY)  ## the checks and all tests but the slow ones
	$(MAKE) --no-print-directory check
	$(BIN)/pytest -q

check: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(READY)  ## the simulations of size and power
	$(BIN)/pytest -q -m slow

docs: $(READY)  ## the site, in docs/_build/html
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

bench: $(READY)  ## seconds and memory, on this machine; SAVE=--save adds them to the history
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/speed.py $(SAVE)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/store.py

pins: $(READY)  ## renew requirements-dev.txt from pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url --no-header \
		--upgrade --quiet --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) demo docs/_build docs/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis
