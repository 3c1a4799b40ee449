# Every target sets itself up: a .venv of its own from pinned requirements, made anew when the pins change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# A process for each core, each with a run of neighbouring tests, which share what they are made of; one that is done
# takes over half of what another has left. Threads of linear algebra would only be in each other's way.
JOBS ?= auto
TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -q --numprocesses $(JOBS) --dist worksteal

.PHONY: demo quick test check site slow docs bench pins clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $(READY)

demo: $(READY)  ## the shipped events on simulated prices: tables, planted beside recovered, an HTML report
	$(BIN)/eventstudy demo

quick: $(READY)  ## the inner loop: units, properties, and each contract once for every member
	$(TESTS) -m "not slow and not site and not thorough"

test: $(READY)  ## the checks and all tests but the slow ones
	$(MAKE) --no-print-directory check
	$(TESTS)

check: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

site: $(READY)  ## the pages and the notebooks, made whole
	$(TESTS) -m site --dist loadfile

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
