# Every target sets itself up: a .venv of its own, from locks that name every file, so that nothing is left to resolve.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
SCRIPTS := Scripts
else
PYTHON ?= python3
SCRIPTS := bin
endif
VENV := .venv
BIN := $(VENV)/$(SCRIPTS)
LOCKED := $(BIN)/python -m pip install --quiet --no-deps --no-compile --only-binary :all: --require-hashes -r
RUNTIME := $(VENV)/runtime
READY := $(VENV)/ready
COMPILE := $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet $(UPGRADE)
TESTED := --group build --editable ".[dev]"

# A process for each core, each with a run of neighbouring tests, which share what they are made of; one that is done
# takes over half of what another has left. Threads of linear algebra would only be in each other's way.
# Tests start many programs: what the first of them compiles, the others read.
JOBS ?= auto
unexport PYTHONDONTWRITEBYTECODE
TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -q --numprocesses $(JOBS) --dist worksteal

# What computes: core, models, tests, placing and frames. Figures, reports, sources and programs take longer.
UNITS := $(addprefix tests/,core models contract prepare properties tabular)

.PHONY: demo quick test suite check full site slow fuzz mutants soak evidence docs branches bench pins test-lowest
.PHONY: test-newest dist sbom audit clean

$(VENV)/locked: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(LOCKED) requirements.txt
	touch $@

$(RUNTIME): $(VENV)/locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(READY): $(RUNTIME)
	$(LOCKED) requirements-dev.txt
	touch $@

demo: $(RUNTIME)  ## the shipped events on simulated prices: tables, planted beside recovered, an HTML report
	$(BIN)/eventstudy demo

quick: $(READY)  ## the inner loop: units, properties, and each contract of models and tests once for every member
	$(TESTS) -m "not slow and not full and not site and not thorough" $(UNITS)

test: $(READY)  ## the checks, and each test in the values, programs and viewers that differ most
	$(MAKE) --no-print-directory --jobs 2 check suite

suite: $(READY)
	$(TESTS)

check: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

full: $(READY)  ## all tests but the slow ones: each with every value, program and viewer
	$(TESTS) -m "not slow"

site: $(READY)  ## the pages and the notebooks, made whole
	$(TESTS) -m site --dist loadfile

slow: $(READY)  ## the simulations of size and power
	$(BIN)/pytest -q -m slow

SECONDS ?= 300
SEED ?= 0
fuzz: $(READY)  ## broken input at every door, for SECONDS from SEED, and as long guided by the branches it reaches
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)
	for door in price_file event_file study_file formula; do \
		$(BIN)/python -m tests.fuzz.guided $$door $$(($(SECONDS) / 4)) $(SEED) || exit 1; \
	done

NUMBER ?= 600
mutants: $(READY)  ## NUMBER changes of the arithmetic, drawn with SEED: which of them no test notices; KEEP=--keep
	$(BIN)/uv venv --quiet --clear --python $(PYTHON) $(VENV)-mutants
	$(BIN)/uv pip install --quiet --python $(VENV)-mutants --requirements requirements.txt \
		--requirements requirements-dev.txt --editable . mutmut==3.8.1
	$(VENV)-mutants/$(SCRIPTS)/python -m tests.mutants --seed $(SEED) --number $(NUMBER) $(KEEP)

MINUTES ?= 60
soak: $(READY)  ## mixed work in one process for MINUTES: the same numbers each time, in bounded memory
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED)

evidence: $(READY)  ## all that is tried at length but the mutants, with the records of the page "How tested"; it takes a night
	for part in oracles properties contracts closed_forms yahoo security simulations; do \
		$(BIN)/python -m tests.evidence $$part || exit 1; \
	done
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) --seed $(SEED) --keep
	$(BIN)/python -W ignore -m tests.killing kills $(SEED) 504 --keep
	$(BIN)/python -W ignore -m tests.killing races $(SEED) 100 --keep
	$(BIN)/python -m tests.branches --jobs $(JOBS) --keep
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --keep

docs: $(READY)  ## the site, in docs/_build/html
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

branches: $(READY)  ## what no test runs: nothing of core, inference and models, at most 5 % of each other folder; KEEP=--keep
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.branches --jobs $(JOBS) $(KEEP)

bench: $(READY)  ## seconds and memory, on this machine; SAVE=--save adds them to the history
	$(BIN)/python benchmarks/measure.py
	$(BIN)/python benchmarks/speed.py $(SAVE)
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/store.py

pins: $(READY)  ## both locks and what their pins need, from pyproject.toml; UPGRADE=--upgrade takes the newest of all
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt
	$(BIN)/python -m tests.install.write

test-lowest: $(READY)  ## all tests but the slow ones, with the oldest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --seed --python 3.11 $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct $(TESTED)
	$(VENV)-lowest/$(SCRIPTS)/python -m pytest -q -n auto -m "not slow" \
		-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning

test-newest: $(READY)  ## all tests but the slow ones, with the newest version of everything
	$(BIN)/uv venv --quiet --clear --seed --python $(PYTHON) $(VENV)-newest
	$(BIN)/uv pip install --quiet --python $(VENV)-newest --refresh $(TESTED)
	$(VENV)-newest/$(SCRIPTS)/python -m pytest -q -n auto -m "not slow"

dist: $(READY)  ## wheel and sdist, in dist: of one commit the same bytes wherever they are built
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build

sbom: $(READY)  ## the bill of materials of the runtime lock, as CycloneDX, in dist
	$(BIN)/python -m tests.install.sbom dist/sbom.cdx.json

audit: $(READY)  ## known vulnerabilities of all pins; fails too if the advisory service does not answer
	$(BIN)/python -m tests.install.audit

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest $(VENV)-mutants dist demo docs/_build docs/generated
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
