# Every command that a person types. `make` alone explains them.
#
# One profile, release, for the program, the tests and the lints: what takes long is compiling some 300 dependencies and
# the C of SQLite, and with one profile that is done once. `debug` is kept to line tables, so a backtrace stays readable.
#
# Tests take the crate `wuji` itself unoptimised: it is what changes most, takes longest to optimise, and is compiled once more
# for its own tests and once for those of `tests`. What it stands on, the rules and the link among it, stays optimised, and
# `make build` makes the program anew for the tests with real processes.
#
# The program is always built by itself (`-p wuji`): built together with `wuji-tests`, cargo would unify the features of
# both, and the program would carry the test-only switches of the simulator.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo build deb test check contract bench sim soak fuzz setup setup-fuzz setup-test
MAKEFLAGS += --no-print-directory

# Seeds of the simulator in `make test` and `make sim`; any further options of a command go into ARGS.
SEEDS ?= 400
ARGS ?=

QUICK := --release --config profile.release.package.wuji.opt-level=0

TARGET := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(abspath target/tools/bin):$(PATH)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18
	@echo '  Options of a command go into ARGS, as in: make demo ARGS="--cases 200 --exit --json"'

demo: build ## a small city on this machine: five levels, real certificates, real links, live table
	@$(TARGET)/release/wuji demo $(ARGS)

build: setup ## the program, as target/release/wuji
	@cargo build --release -p wuji

deb: build ## the Debian package, in target/debian, with what it must hold looked for in it
	@scripts/setup.sh deb
	@cargo deb --quiet -p wuji --no-build
	@scripts/deb.sh $(TARGET)/debian

test: setup-test check ## everything that shows it works: lints, tests, simulator, real processes
	scripts/postgres.sh with cargo test $(QUICK) --workspace --exclude wuji-tests
	$(MAKE) build
	scripts/contract.sh --examples 5
	scripts/released.sh
	scripts/postgres.sh with cargo test $(QUICK) -p wuji-tests
	$(MAKE) sim

check: setup-test ## format, lints, licences, the arrows between crates, the rules of the house, docs
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
	cargo deny --all-features check licenses bans sources
	scripts/arrows.sh
	scripts/tidy.sh
	RUSTDOCFLAGS=-Dwarnings cargo doc --release --workspace --no-deps --document-private-items

contract: build setup-test ## the API of a running city, held to its description: make contract ARGS="--examples 50 --seed 7"
	scripts/contract.sh $(ARGS)

bench: build setup-test ## what it costs, beside its reaches and what the machine takes: target/bench/*.jsonl
	scripts/postgres.sh with cargo run --release -p wuji-tests --bin bench -- $(ARGS)

sim: setup ## a whole city in virtual time under faults: make sim SEEDS=200
	cargo run $(QUICK) -p wuji-tests --bin sim -- --seeds $(SEEDS) $(ARGS)

soak: build ## five real levels for hours under random faults and load: make soak ARGS="--minutes 5 --seed 7"
	@cargo run $(QUICK) -p wuji-tests --bin soak -- $(ARGS)

fuzz: setup-fuzz ## the decoders with bytes that coverage guides: make fuzz ARGS="--seconds 300 bundle"
	@scripts/fuzz.sh $(ARGS)

setup:
	@scripts/setup.sh build

setup-fuzz:
	@scripts/setup.sh fuzz

setup-test:
	@scripts/setup.sh test
