# `make demo` and `make test` do all set-up; both work from nothing but Python and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DEMO ?= out/demo

.PHONY: demo test check tests coverage bench clean

$(VENV)/run.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	touch $@ $(VENV)/run.stamp

demo: $(VENV)/run.stamp
	$(BIN)/medloom demo --out $(DEMO)

test: check tests

check: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

# Two jobs, both of which are run and told of: some families' processors need torchvision, which nothing else here may find.
# Its build for CUDA loads beside a CPU build of torch by what tests/vision_shim declares.
tests: $(VENV)/dev.stamp $(VENV)/vision.stamp
	@failed=0; \
	$(BIN)/python -m pytest -n 2 --dist worksteal || failed=1; \
	PYTHONPATH="$(CURDIR)/tests/vision_shim:$(CURDIR)/$(VENV)/vision" $(BIN)/python -m pytest -n 2 --dist worksteal tests/train/vision || failed=1; \
	exit $$failed

$(VENV)/vision.stamp: constraints.txt $(VENV)/dev.stamp
	rm -rf $(VENV)/vision
	$(INSTALL) --no-deps --target $(VENV)/vision torchvision
	touch $@

# Bars hold for runs with the real sources (MEDLOOM_DATA, else ../shared/data).
coverage: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term-missing:skip-covered --cov-fail-under=90

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) out build dist *.egg-info
