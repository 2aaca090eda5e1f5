# Two commands a stranger needs: `make demo` and `make test`. Only Python 3.11+ with venv is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check fuzz bench bench-speed bench-cases bench-solve docs format clean

demo: $(VENV)/demo
	$(BIN)/solvency solve instances/enterprise.yaml

test: $(VENV)/test
	$(BIN)/python -m pytest -n 2

check: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

fuzz: $(VENV)/test
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=anew $$(grep -l hypothesis tests/test_*.py)

format: $(VENV)/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: bench-speed bench-cases bench-solve

bench-speed: $(VENV)/test
	$(BIN)/python -m benchmarks.speed

bench-cases: $(VENV)/test
	$(BIN)/python -m benchmarks.cases

bench-solve: $(VENV)/test
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[scip]'
	$(BIN)/python -m benchmarks.solve

docs: $(VENV)/test
	$(BIN)/python -m docs.refresh

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@
