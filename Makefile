# `make test` does everything that CI does; it needs Rust, Python 3, make and a C compiler.

PYTHON ?= python3
VENV := .venv
CARGO_FLAGS := --locked

.PHONY: test lint deny fuzz clean

test: lint $(VENV)/.installed
	BREAKGLASS_TEST_PYTHON=$(CURDIR)/$(VENV)/bin/python cargo test $(CARGO_FLAGS)

lint:
	cargo fmt --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

# Licences, sources and versions of what is depended on, as far as that can be told offline.
deny:
	cargo deny --offline check --config .cargo/deny.toml bans licenses sources

# Untrusted input, changed RUNS times for each target; `make test` does a few hundred.
RUNS := 1000000
fuzz:
	BREAKGLASS_FUZZ_RUNS=$(RUNS) cargo test $(CARGO_FLAGS) --profile fuzz --test fuzz -- --nocapture

# What the tests need of Python, the AWS emulator above all, pinned and hashed; made anew when that changes.
$(VENV)/.installed: tests/requirements.txt
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	touch $@

clean:
	rm -rf target $(VENV)
