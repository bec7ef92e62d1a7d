# The two commands are `make verify` and `make test`; `make help` lists the rest.

PYTHON ?= python3

# TORCH=2.15.0 has an environment of its own, which stays; without it, constraints.txt says which release.
# SUBJECT=optax has one as well, with the library of that name in place of torch.
VENV := .venv$(if $(TORCH),-$(TORCH))$(if $(SUBJECT),-$(SUBJECT))
PINNED := $(if $(TORCH),'torch==$(TORCH)',--constraint constraints.txt)
EXTRA := $(or $(SUBJECT:onnx-reference=onnx),dev)
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/installed

# What `make verify` can be asked: SUBJECTS=torch.nn DTYPES=float32 CASES='ce-*' DEVICE=cpu WORKERS=2 BASELINE=old
OPTIONS := $(if $(SUBJECTS),--subjects '$(SUBJECTS)') $(if $(DTYPES),--dtypes '$(DTYPES)') \
           $(if $(CASES),--cases '$(CASES)') $(if $(DEVICE),--device '$(DEVICE)') \
           $(if $(WORKERS),--numprocesses '$(WORKERS)') $(if $(BASELINE),--baseline '$(BASELINE)')

# What `make test` can be asked: TESTS=tests/own/judging
TESTS ?= tests/own

.PHONY: help verify implementation faults test history browser lint benchmark yardstick mutants readme picture clean
.DEFAULT_GOAL := help

help: ## list these verbs
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

verify: $(INSTALLED) ## run the suite and write reports/ (TORCH= SUBJECTS= DTYPES= CASES= DEVICE= WORKERS= BASELINE=)
	@$(RUN) -m lossproof verify $(OPTIONS)

implementation: $(if $(SUBJECT),$(INSTALLED)) ## run the suite on another library (SUBJECT=optax, and the options of verify)
	@$(if $(SUBJECT),,echo "name a library, such as 'make implementation SUBJECT=optax'"; exit 1)
	@$(RUN) -m lossproof verify --subjects '$(SUBJECT)' $(OPTIONS)

faults: $(INSTALLED) ## plant bugs in torch and see which case catches each (TORCH= FULL=1 FAULTS='nll-*')
	@$(RUN) -m proofs.faults $(if $(FULL),--full) $(FAULTS)

test: $(INSTALLED) ## run the project's own tests (TORCH= TESTS=)
	@$(RUN) -m pytest $(TESTS) -q --numprocesses auto --dist loadfile

history: $(INSTALLED) ## run the suite on releases of torch, put each on record, write the table (VERSIONS='2.6.0 2.7.1')
	@$(RUN) -m proofs.releases $(VERSIONS)

browser: $(INSTALLED) ## open the report in Chromium, which must be installed, and use it
	@$(RUN) -m pip install --quiet $(PINNED) --editable '.[browser]'
	@$(RUN) -m pytest tests/browser -q

lint: $(INSTALLED) ## check style and types
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check . && $(RUN) -m mypy

benchmark: $(INSTALLED) ## measure a run against the calls that it makes, replayed alone
	@$(RUN) -m proofs.overhead

yardstick: $(INSTALLED) ## see how many of the planted faults PyTorch's own tests catch (a sample; half an hour)
	@$(RUN) -m pip install --quiet $(PINNED) --editable '.[benchmark]'
	@$(RUN) -m proofs.yardstick -n 7

mutants: $(INSTALLED) ## mutate the reference and the judge, and see what notices (hours)
	@$(RUN) -m proofs.mutants

readme: $(INSTALLED) ## write the table of losses into README.md
	@$(RUN) docs/readme.py

picture: $(INSTALLED) ## draw the README's picture of the last run's report
	@$(RUN) -m pip install --quiet $(PINNED) --editable '.[browser]'
	@$(RUN) tests/browser/picture.py

clean: ## remove the environments and the reports
	rm -rf .venv .venv-* build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find reports -type f ! -name README.md -delete

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "lossproof needs Python 3.10 or newer; name one with 'make $(MAKECMDGOALS) PYTHON=python3.12'"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || \
		echo "lossproof has been tried on Python 3.10 to 3.13; this one is newer, and may lack builds of torch"
	@echo "installing into $(VENV) (once$(if $(SUBJECT),,; torch is large))"
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check $(PINNED) --editable '.[$(EXTRA)]'
	@touch $@
