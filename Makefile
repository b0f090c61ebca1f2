# make demo          a virtual environment, runx in it, the example sweep and its table
# make test          the same environment with what the tests use; lint, types and the whole suite
# make test-newest   the suite with the newest release of everything but torch, in .venv-newest
# make .venv-tools/made  the tools whose directories sumx reads, for .ci/tools
# make faults        a thousand random faults; RUNX_SEED=N make faults plays those of a seed again
# make constraints   write anew the releases that the other environments are made of
# make bench         the tables of docs/performance.md, a short form; make bench-full, the long one

PYTHON ?= python3
TORCH  ?= torch==2.13.0
VENV   ?= .venv
BIN     = $(VENV)/bin

# The releases that are installed, those that packages are built with included; empty: the newest.
CONSTRAINTS ?= tests/constraints.txt
INSTALL = PIP_CONSTRAINT=$(CONSTRAINTS) PIP_BUILD_CONSTRAINT=$(CONSTRAINTS) \
  $(BIN)/pip install -q --disable-pip-version-check

# The tests that .ci/run, .ci/farms, .ci/browser and .ci/latex run, and the packages they add.
APART  := not slow and not slurm and not sge and not oar and not torque and not condor and not ray \
  and not browser and not latex and not faults and not tools
BESIDE := scikit-learn selenium>=4.20 ray[default]>=2.40 wandb mlflow-skinny trackio keras

faults: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 -m faults $(PYTEST) tests

.PHONY: demo test test-newest faults lint constraints bench bench-full clean

demo: $(VENV)/demo
	cd examples/digits && ../../$(BIN)/runx sweep.yml -i -j 2 && \
	  ../../$(BIN)/sumx sweep --sortwith accuracy
	@echo
	@echo 'To try next:  source $(BIN)/activate && cd examples/digits'
	@echo '  runx sweep.yml -n                          what would run'
	@echo '  runx sweep.yml -i lr=0.03,0.3 +epochs=50   other values'
	@echo '  runx sweep.yml -i --resume                 only what is missing or has failed'
	@echo '  sumx sweep --html page.html                curves and everything about each run'

test: $(VENV)/dev lint
	$(BIN)/python -m pytest -n 2 -m "$(APART)" $(PYTEST)

test-newest:
	rm -rf .venv-newest
	$(MAKE) .venv-newest/dev VENV=.venv-newest CONSTRAINTS=
	.venv-newest/bin/python -m pytest -n 2 -m "$(APART)" $(PYTEST)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict runx benchmarks --exclude 'benchmarks/(floors|inside|peers)/'

bench: $(VENV)/demo .venv-bench/made
	$(BIN)/python -m benchmarks --write docs/performance.md

bench-full: $(VENV)/demo .venv-bench/made
	$(BIN)/python -m benchmarks --full --write docs/performance.md

# The original, which is called runx too, the peers that install without a service, and selenium,
# which opens a page in Chromium.
PEERS := runx==0.0.11 hydra-core submitit guildai setuptools<81 mlxp experimaestro polars \
  tensorboard selenium
.venv-bench/made: VENV := .venv-bench
.venv-bench/made: CONSTRAINTS := benchmarks/constraints.txt
.venv-bench/made: Makefile benchmarks/constraints.txt
	$(PYTHON) -m venv .venv-bench
	$(INSTALL) '$(TORCH)'
	$(INSTALL) $(PEERS:%='%')
	touch $@

# The tools whose directories sumx reads; Guild apart, since it wants an older protobuf.
TOOLS := wandb mlflow-skinny mlxp sacred setuptools<81 dvclive keras hydra-core lightning \
  transformers accelerate tensorboard
.venv-tools/made: VENV := .venv-tools
.venv-tools/made: CONSTRAINTS := tests/constraints-tools.txt
.venv-tools/made: Makefile tests/constraints-tools.txt
	$(PYTHON) -m venv .venv-tools
	$(INSTALL) '$(TORCH)'
	$(INSTALL) $(TOOLS:%='%')
	$(PYTHON) -m venv .venv-tools/guild
	PIP_CONSTRAINT=benchmarks/constraints.txt .venv-tools/guild/bin/pip install -q \
	  --disable-pip-version-check guildai 'setuptools<81'
	touch $@

# torch first and pinned: what else asks for it then finds it there.
$(VENV)/demo: pyproject.toml $(CONSTRAINTS)
	@echo 'Installing runx and PyTorch in $(VENV): a minute or two'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) '$(TORCH)'
	$(INSTALL) -e . scikit-learn
	touch $@

$(VENV)/dev: $(VENV)/demo
	$(INSTALL) -e '.[dev]'
	touch $@

# For Linux and Python 3.10 to 3.13 at once, as [tool.uv] in pyproject.toml has it; uv then adds that
# to every line, and sed removes it. torch is pinned above; nothing here may bring it.
COMPILE = .venv-constraints/bin/uv pip compile -q --universal --python-version 3.10 --upgrade \
  --no-annotate --custom-compile-command 'make constraints'
RELEASES := tests/constraints.txt benchmarks/constraints.txt tests/constraints-tools.txt
constraints:
	$(PYTHON) -m venv .venv-constraints
	.venv-constraints/bin/pip install -q --disable-pip-version-check --upgrade uv
	printf '%s\n' $(BESIDE:%='%') | $(COMPILE) --extra dev pyproject.toml - -o tests/constraints.txt
	printf '%s\n' $(PEERS:%='%') | $(COMPILE) - -o benchmarks/constraints.txt
	printf '%s\n' $(TOOLS:%='%') | $(COMPILE) - -o tests/constraints-tools.txt
	sed -i -E -e 's/ and \(\(platform_machine.*//' \
	  -e "s/ and (implementation_name|platform_[a-z_]+|sys_platform) [!=]= '[^']*'//g" \
	  -e "s/( and)? python_full_version < '3.14'//" -e 's/ ;$$//' $(RELEASES)
	! grep -nE '^(torch==|nvidia-[^m]|triton)|://' $(RELEASES)

clean:
	rm -rf .venv .venv-* build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
