# Every command that a developer, a user or CI runs. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTENSION := python/recurrentnn/_recurrentnn.abi3.so
RUST := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)
# PyTorch is the peer that tests compare with; where this wheel is absent they are skipped.
PEERS := $(wildcard ../shared/wheels/torch-*.whl)
MODEL := runs/first.safetensors
# The record that `make bench-peers` writes or goes on with, in benches/record.
NAME ?= peers

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
# Code is built for the baseline CPU and picks its instruction set when it runs.
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS
# The environment is our own, whatever the caller's shell has activated.
unexport CONDA_PREFIX PYTHONHOME PYTHONPATH

.PHONY: help run build test test-rust test-python check lint types wheel bench bench-peers reliability format clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(EXTENSION) ## build, train the built-in text for about a minute, sample, say what is next
	@mkdir -p $(dir $(MODEL))
	$(BIN)/recurrentnn train --minutes 1 --output $(MODEL)
	$(BIN)/recurrentnn sample $(MODEL) --temperature 0.7 --count 5
	@printf '\nWhat to try next:\n'
	@printf '  %s\n' \
	  '$(BIN)/recurrentnn sample $(MODEL) --prompt "The " --temperature 0.5' \
	  '$(BIN)/recurrentnn train YOUR_TEXT.txt --cell gflstm --hidden-sizes 128,128 --minutes 5' \
	  '$(BIN)/recurrentnn train --help' \
	  'the program in README.md, with $(BIN)/python'

build: $(EXTENSION) ## build the extension (release) into the package, in .venv

test: test-rust test-python ## build, then run every test, Rust and Python

test-rust: ## unit tests, documentation tests and the floors of the core
	cargo test --locked

test-python: $(EXTENSION) $(VENV)/.dev ## what a user can see, and the documents
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

check: lint types test wheel ## everything CI runs, which also sets RECURRENTNN_REQUIRE=1

lint: $(VENV)/.dev ## formatting and lints, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(EXTENSION) $(VENV)/.dev ## mypy --strict, and the stub against the binary
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy.stubtest recurrentnn._recurrentnn \
	  --mypy-config-file pyproject.toml --allowlist tests/stubtest-allowlist.txt

wheel: $(VENV)/.build-tools ## wheel and sdist; installed and run in a clean environment
	rm -rf dist
	@# The wheel is built from the sdist, whose files are dated too early for cargo to see a change.
	cargo clean --quiet --release -p recurrentnn -p recurrentnn-python
	$(BIN)/maturin build --release --locked --sdist --out dist
	$(BIN)/python tests/check_wheel.py dist

reliability: $(EXTENSION) $(VENV)/.dev ## kill, interrupt, damage, by the hundred; a slice of it is in `make test`
	PYTHONPATH=tests $(BIN)/python -m reliability $(ARGS)

bench: ## measure the kernels (Criterion)
	cargo bench --locked

bench-peers: $(EXTENSION) $(VENV)/.bench ## measure PyTorch, JAX, onnxruntime beside ours; benches/README.md
	cargo build --release --locked --example fma_peak
	$(BIN)/python benches/peers.py $(NAME) $(ARGS)

format: $(VENV)/.dev ## rewrite the sources in the one format
	cargo fmt --all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean: ## remove everything that was built
	rm -rf $(VENV) target dist runs $(EXTENSION)
	find . \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -rf {} +

$(VENV)/.build-tools: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python >= 3.11 is needed: make PYTHON=/path/to/python3.11 ...'; exit 1; }
	@command -v cargo >/dev/null || \
	  { echo 'Rust >= 1.89 is needed: see https://rustup.rs'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# Dependency groups came with pip 25.1; a new environment may carry an older pip.
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group build
	@touch $@

$(VENV)/.dev: $(VENV)/.build-tools
	$(BIN)/python -m pip install --quiet --group dev
	@for wheel in $(PEERS); do \
	  echo "installing $$wheel"; \
	  $(BIN)/python -m pip install --quiet "$$wheel" || \
	    echo 'that wheel does not fit this Python: what compares with it will be skipped'; \
	done
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --group bench
	@touch $@

$(EXTENSION): $(RUST) $(VENV)/.build-tools
	$(BIN)/maturin develop --release --locked
	@touch $@
