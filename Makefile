# make demo    a virtual environment, runx in it, the example sweep and its table
# make test    the same environment with what the tests use; lint, types and the whole suite
# make bench   the tables of docs/performance.md, a short form; make bench-full, the long one

PYTHON ?= python3
TORCH  ?= torch==2.13.0
BIN    := .venv/bin

# What .ci/farms and .ci/browser run, with what they install.
APART  := not slurm and not sge and not oar and not torque and not ray and not browser

.PHONY: demo test lint bench bench-full clean

demo: .venv/demo
	cd examples/digits && ../../$(BIN)/runx sweep.yml -i && ../../$(BIN)/sumx sweep --sortwith accuracy

test: .venv/dev lint
	$(BIN)/python -m pytest -n 2 -m "$(APART)" $(PYTEST)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict runx benchmarks --exclude 'benchmarks/(floors|inside|peers)/'

bench: .venv/demo .venv-bench/made
	$(BIN)/python -m benchmarks --write docs/performance.md

bench-full: .venv/demo .venv-bench/made
	$(BIN)/python -m benchmarks --full --write docs/performance.md

# The original, which is called runx too, the peers that install without a service, and what opens
# a page in Chromium.
PEERS := hydra-core submitit guildai 'setuptools<81' mlxp experimaestro polars tensorboard selenium
.venv-bench/made: Makefile
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install -q --disable-pip-version-check '$(TORCH)'
	.venv-bench/bin/pip install -q --disable-pip-version-check runx==0.0.11 $(PEERS)
	touch $@

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
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
