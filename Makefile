# make demo    a virtual environment, runx in it, the example sweep and its table
# make test    the same environment with what the tests use; lint, types and the whole suite

PYTHON ?= python3
TORCH  ?= torch==2.13.0
BIN    := .venv/bin

.PHONY: demo test lint clean

demo: .venv/demo
	cd examples/digits && ../../$(BIN)/runx sweep.yml -i && ../../$(BIN)/sumx sweep --sortwith accuracy

test: .venv/dev lint
	$(BIN)/python -m pytest -n 2 $(PYTEST)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict runx

# torch first and pinned: what else asks for it then finds it there.
.venv/demo: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check '$(TORCH)'
	$(BIN)/pip install -q --disable-pip-version-check -e . scikit-learn
	touch $@

.venv/dev: .venv/demo
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
