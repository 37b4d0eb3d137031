# `make run` opens the phone, `make test` proves it; each does all of its own set-up.

.DEFAULT_GOAL := run
SHELL := /bin/sh

# A fresh rustup is found without a new login.
export PATH := $(HOME)/.cargo/bin:$(PATH)

CARGO ?= cargo
# Arguments for the phone: make run ARGS='headless --help'
ARGS ?=

.PHONY: setup setup-test setup-bench setup-package run package screenshots test lint audit bench order soak soak-calls soak-store mutants fuzz broken clean

## Install what building and running needs.
setup:
	@.ci/setup run

setup-test:
	@.ci/setup test

setup-bench:
	@.ci/setup bench

setup-package:
	@.ci/setup package

## Open the phone; without a display, run the demo in the terminal.
run: setup
	@if [ -n "$(ARGS)" ]; then \
	  exec $(CARGO) run --release -- $(ARGS); \
	elif [ "$$(uname)" = Darwin ] || [ -n "$$DISPLAY" ] || [ -n "$$WAYLAND_DISPLAY" ]; then \
	  exec $(CARGO) run --release; \
	else \
	  echo "There is no display here: running the demo without a window." >&2; \
	  exec $(CARGO) run --release -- --demo-without-display; \
	fi

## Make a Debian package of the phone in target/package, and look at it with lintian.
package: setup-package
	@command -v cargo-deb >/dev/null 2>&1 || $(CARGO) install --locked cargo-deb
	$(CARGO) build --release
	@CARGO="$(CARGO)" build/package

## Take a picture of each view in both themes, into docs/screenshots; ONLY="calls call" takes those alone.
screenshots: setup-test
	$(CARGO) build --release --example gallery
	@build/screenshots $(ONLY)

## Run every test, also those against SIPp, Kamailio, baresip, linphone, aiortc, coturn, PulseAudio and a real window;
## then look at every view once more in a language that is 40 % longer.
test: setup-test
	$(CARGO) test
	$(CARGO) test --lib --features pseudo-locale -- every_scene

## Check formats, lints, documentation, and that the headless phone builds alone.
lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items

## Check crates: banned ones, licences, sources.
audit: setup
	@command -v cargo-deny >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check bans licenses sources

## Measure: the parts, then the whole phone beside baresip; the table at the end says which limits are kept.
bench: export CRITERION_HOME := $(CURDIR)/target/criterion
bench: setup-bench
	@status=0; \
	for bench in parts store whole; do \
	  $(CARGO) bench --no-default-features --target-dir target/headless --bench $$bench || status=1; \
	done; \
	$(CARGO) bench --no-default-features --features audio --target-dir target/headless --bench sound || status=1; \
	$(CARGO) bench --bench window || status=1; \
	exit $$status

## Say again which functions stand side by side in a release: after changes of what runs at each start.
order: setup-bench
	$(CARGO) build --release --no-default-features --target-dir target/headless
	build/order.py target/headless/release/ringdesk

## The long runs: 100,000 simulated calls over a bad network (CALLS=100000), a million damaged
## messages under virtual time, the store cut off at all moments (soak-store), and against the headless
## release build a million mutated datagrams and 200 kills in the midst of calls (KILLS=200).
CALLS ?= 100000
KILLS ?= 200
soak: soak-calls soak-store setup-test
	$(CARGO) build --release --no-default-features --target-dir target/headless
	RINGDESK_BINARY=$(CURDIR)/target/headless/release/ringdesk RINGDESK_DATAGRAMS=1000000 \
	  $(CARGO) test --test peers -- --nocapture mutated
	RINGDESK_BINARY=$(CURDIR)/target/headless/release/ringdesk RINGDESK_KILLS=$(KILLS) \
	  $(CARGO) test --test peers -- --nocapture killed_at_any_moment

soak-calls: setup
	CARGO_PROFILE_TEST_OPT_LEVEL=2 RINGDESK_SIM_CALLS=$(CALLS) RINGDESK_SIM_MESSAGES=1000000 \
	  $(CARGO) test --lib --no-default-features --target-dir target/headless -- every_call_ends \
	  damaged_datagrams

## The store: 20 kills in each phase of calls and edits (STORE_KILLS=20), 10,000 images of what a power
## loss leaves (STORE_IMAGES=10000), and each write and sync of a script failing once.
STORE_KILLS ?= 20
STORE_IMAGES ?= 10000
soak-store: setup-test
	RINGDESK_STORE_KILLS=$(STORE_KILLS) RINGDESK_STORE_IMAGES=$(STORE_IMAGES) RINGDESK_STORE_FAULTS=all \
	  $(CARGO) test --no-default-features --target-dir target/headless --test durability -- \
	  --nocapture --test-threads=1

## Change transactions, dialogs and digest in each way that cargo-mutants knows (190 when this was written) and see that
## a test of `sip` fails. All are tried; SHARD=1/4 takes every fourth, from the second on.
SHARD ?= 0/1
mutants: setup
	@command -v cargo-mutants >/dev/null 2>&1 || $(CARGO) install --locked cargo-mutants
	@mkdir -p target
	RINGDESK_SIM_CALLS=250 $(CARGO) mutants --no-default-features -j1 --shard $(SHARD) --sharding round-robin \
	  --output target/mutants -f 'src/sip/transaction/*.rs' -f src/sip/dialog.rs -f src/sip/digest.rs -- --lib sip::

## Fuzz every reader of network bytes and the endpoint, a minute of processor time each
## (SECONDS_EACH=60), JOBS=1 at a time.
SECONDS_EACH ?= 60
JOBS ?= 1
fuzz: setup
	@rustup toolchain list | grep -q nightly || rustup toolchain install nightly --profile minimal
	@command -v cargo-fuzz >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	@CARGO="$(CARGO)" SECONDS_EACH="$(SECONDS_EACH)" JOBS="$(JOBS)" fuzz/run

## Show that each SIPp scenario can fail: build each broken phone and run its scenarios.
broken: setup-test
	@tests/broken/run

clean:
	$(CARGO) clean
