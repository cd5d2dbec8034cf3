# Run `make` alone to see what there is to make.

.DEFAULT_GOAL := help
SHELL := /bin/bash

CARGO := cargo
PYTHON := .venv/bin/python
WEB_SOURCES := $(shell find web/src web/static web/scripts -type f 2>/dev/null) $(wildcard web/*.*)

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## Install what is missing: libduckdb, cargo tools, the Python test clients.
	@scripts/setup.sh test

.PHONY: setup-build
setup-build: ## Install what a build needs: libduckdb.
	@scripts/setup.sh build

.PHONY: build
build: setup-build web ## Build the debug binary.
	$(CARGO) build -p tally

.PHONY: web
web: web/build/index.html ## Build the interface that Tally serves.

web/build/index.html: $(WEB_SOURCES)
	@scripts/setup.sh web
	cd web && npm run --silent build

.PHONY: demo
demo: web ## Run Tally with a simulated company: history, live traffic, sign-in.
	@scripts/demo.sh

.PHONY: test
test: setup fmt clippy rust doc deny ui browser sdk focus insight ## Everything that CI runs.

.PHONY: fmt
fmt: ## Check the formatting.
	$(CARGO) fmt --all --check

.PHONY: clippy
clippy: setup-build ## Lint, warnings denied.
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

.PHONY: rust
rust: setup-build web ## Run the Rust tests.
	$(CARGO) nextest run --workspace

.PHONY: doc
doc: setup-build ## Run the doc tests and check that the documentation builds.
	$(CARGO) test --workspace --doc --quiet
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --document-private-items --quiet

.PHONY: deny
deny: ## Check licences, bans and sources of all dependencies.
	$(CARGO) deny check licenses bans sources

.PHONY: openapi
openapi: setup-build ## Write docs/openapi.json and the interface's types anew.
	UPDATE_OPENAPI=1 $(CARGO) nextest run -p tally-api document::
	@scripts/setup.sh web
	cd web && npm run --silent types

.PHONY: ui
ui: ## Check the interface: types up to date, lint, type check, unit tests.
	@scripts/setup.sh web
	cd web && npm run --silent types -- --check
	cd web && npm run --silent lint
	cd web && npm run --silent check
	cd web && npm run --silent test

.PHONY: browser
browser: setup web ## Run the browser tests in Chromium against a running Tally.
	# The binary that the Rust tests were linked with: the same features, nothing built twice.
	$(CARGO) nextest run --workspace --no-run
	node tests/browser/run.mjs

.PHONY: pictures
pictures: ## Take the pictures of the README from a demo that runs, URL=… PASSWORD=….
	node tests/browser/pictures.mjs "$(URL)" "$(PASSWORD)"

.PHONY: sdk
sdk: setup ## Run the official Python SDKs against Tally and the simulator, and the kill test.
	# The binary that the Rust tests were linked with: the same features, nothing built twice.
	$(CARGO) nextest run --workspace --no-run
	$(PYTHON) -m pytest tests/sdk -q

.PHONY: focus
focus: setup ## Hold FOCUS exports against the official validator, pandas and DuckDB.
	# Builds the example that writes every kind of row, too.
	$(CARGO) nextest run --workspace --no-run
	$(PYTHON) -m pytest tests/focus -q

.PHONY: insight
insight: setup ## Compute scoreboards a second time, from exported calls and outcomes, and hold every number against Tally's.
	# Builds the example that scores a company without a Tally, too.
	$(CARGO) nextest run --workspace --no-run
	$(PYTHON) -m pytest tests/insight -q

.PHONY: focus-file
focus-file: ## Hold one file, FILE=…, against the official validator of FOCUS 1.2.
	@scripts/setup.sh focus
	@$(PYTHON) tests/focus/validate.py "$(FILE)"

.PHONY: company
company: setup ## Close the books of CALLS made-up calls (5,000,000) and hold them against an independent computation.
	$(CARGO) build --release -p tally
	TALLY_BIN=target/release/tally $(PYTHON) tests/focus/measure_company.py $(or $(CALLS),5000000)

.PHONY: boards
boards: setup ## Measure the scoreboards of PEOPLE (85,000) with CALLS (10,000,000), asked as a browser asks. Keeps them in target/boards.
	$(CARGO) build --release -p tally -p tally-warehouse --bin tally --example company
	TALLY_BIN=target/release/tally $(PYTHON) tests/insight/measure_boards.py $(or $(PEOPLE),85000) $(or $(CALLS),10000000)

.PHONY: bench
bench: setup-build ## Measure added latency, durable throughput, the overview's queries, admission and redaction.
	$(CARGO) build --release -p tally -p tally-bench
	for measurement in latency journal ship overview; do target/release/tally-bench $$measurement || exit 1; done

.PHONY: dist
dist: ## Build a self-contained, optimised binary (compiles DuckDB: some 20 minutes).
	$(CARGO) build --profile dist -p tally --features bundled
