# coarsegrain: `make run` and `make test` are all you need; they set themselves up.
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS_READY := $(VENV)/.ready-for-tests
LOCK := envs/requirements.lock
DEV_LOCK := envs/requirements-dev.lock
GPU_LOCK := envs/requirements-gpu.lock
FREEZE = $(VENV)-lock/bin/python -m pip freeze | sed 's/+[a-z0-9]*$$//'

# make run PRESET=paper lays workflow/presets/paper.yaml over config.yaml
PRESET ?= laptop
PRESETS := laptop $(basename $(notdir $(wildcard workflow/presets/*.yaml)))
ifeq ($(filter $(PRESET),$(PRESETS)),)
$(error There is no preset "$(PRESET)"; choose one of: $(PRESETS))
endif
CONFIG := $(if $(filter-out laptop,$(PRESET)),--configfile workflow/presets/$(PRESET).yaml)
CORES ?= all
ifneq ($(CORES),all)
ifeq ($(shell echo '$(CORES)' | grep -xE '[1-9][0-9]*'),)
$(error CORES is "$(CORES)"; give a number of cores, 1 or more, or all)
endif
endif
BENCHMARKS ?= sampling training machines flows
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) $(CONFIG) $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help run all estimate dry-run verify accept test test-fast bench lint format lock clean-venv

help: ## Show this list
	@echo "coarsegrain: deep learning and the renormalization group on the Ising model"
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
	@echo
	@echo "Options: PRESET=$(shell echo $(PRESETS) | tr ' ' '|')   CORES=<number>   ARGS=\"<for snakemake>\""

run: $(READY) ## Run the study, print the verdict on each published claim and where the report is
	@PYTHONPATH=workflow $(BIN)/python -m pipeline.run --cores $(CORES) $(CONFIG) $(ARGS)

all: $(READY) ## The same, and all variants and sweeps in the config
	@PYTHONPATH=workflow $(BIN)/python -m pipeline.run all variants --cores $(CORES) $(CONFIG) $(ARGS)

estimate: $(READY) ## Say how long a run will take here, before anything is started
	@PYTHONPATH=workflow $(BIN)/python -m pipeline.estimate --cores $(CORES) $(CONFIG) $(ARGS)

dry-run: $(READY) ## Say which jobs would run, and why
	@$(SNAKEMAKE) --dry-run

verify: $(READY) ## Tell which results are fine, stale, damaged, missing or foreign; change nothing
	@PYTHONPATH=workflow $(BIN)/python -m pipeline.verify --cores $(CORES) $(CONFIG) $(ARGS)

accept: $(READY) ## After a change of code that changes no result: take them as they are (STAGES="…")
	@PYTHONPATH=workflow $(BIN)/python -m pipeline.accept --stages "$(STAGES)" --cores $(CORES) $(CONFIG) $(ARGS)

test: $(TESTS_READY) ## Run all tests, the fast ones first
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not gpu"
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "slow or gpu" --durations 15

test-fast: $(TESTS_READY) ## Run the tests that take seconds
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow and not gpu"

# A peer that cannot be installed here is left out; the lock's own versions stay. ARGS are for all
# programs; BENCHMARKS=sampling, =training, =machines or =flows runs one, with options of its own.
bench: $(TESTS_READY) ## Measure sampler and training against other codes (ARGS="--write docs/benchmarks.md")
	@grep -v '^#' benchmarks/requirements.txt | while read -r peer; do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) "$$peer" \
	    || echo "$$peer cannot be installed here" >&2; done
	@kernels=$$(mktemp -d); trap 'rm -rf "$$kernels"' EXIT; \
	  for program in $(BENCHMARKS); do \
	    COARSEGRAIN_KERNEL_CACHE=1 NUMBA_CACHE_DIR="$$kernels" PYTHONPATH=workflow \
	    $(BIN)/python benchmarks/$$program.py $(ARGS) || exit; done

lint: $(TESTS_READY) ## Check style, types, imports and rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=workflow $(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(TESTS_READY) ## Put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

lock: ## Resolve envs/requirements*.in afresh; write the pip locks and the conda environments
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --requirement envs/requirements.in
	{ sed -n '/^#/p' $(LOCK); $(FREEZE); } > $(LOCK).new
	$(VENV)-lock/bin/python -m pip install --quiet --constraint $(LOCK).new --requirement envs/requirements-dev.in
	{ sed -n '/^#/p' $(DEV_LOCK); $(FREEZE) | grep -vxFf $(LOCK).new; } > $(DEV_LOCK).new
	$(VENV)-lock/bin/python -m pip install --quiet --constraint <(cat $(LOCK).new $(DEV_LOCK).new) cupy-cuda13x
	{ sed -n '/^#/p' $(GPU_LOCK); $(FREEZE) | grep -vxFf <(grep -hv nvidia-cuda-nvrtc $(LOCK).new $(DEV_LOCK).new); } > $(GPU_LOCK).new
	sed -i.old 's/^nvidia-cuda-nvrtc==.*/&; sys_platform == "linux"/' $(DEV_LOCK).new && rm $(DEV_LOCK).new.old
	for lock in $(LOCK) $(DEV_LOCK) $(GPU_LOCK); do mv $$lock.new $$lock; done && rm -rf $(VENV)-lock
	$(PYTHON) envs/write_conda.py

clean-venv: ## Remove the Python environment; the next command makes it again
	rm -rf $(VENV)

# Made from the lock when missing, brought up to date when the lock is newer.
$(READY): $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "coarsegrain needs Python 3.11 or later, and $(PYTHON) is not; say which to use: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) from $(LOCK) (once, a minute or two)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $(LOCK)
	@touch $@

$(TESTS_READY): $(READY) $(DEV_LOCK)
	@echo "Adding to $(VENV) what tests and checks need, from $(DEV_LOCK) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) --requirement $(DEV_LOCK)
	@touch $@
