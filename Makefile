# `make test` does everything that CI does; it needs Rust, Python 3, make and a C compiler.

PYTHON ?= python3
VENV := .venv
CARGO_FLAGS := --locked
# Tests on the emulator wait for it, and for what never answers, as much as they work.
export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: test lint browser deny fuzz clean

test: lint $(VENV)/.installed
	BREAKGLASS_TEST_PYTHON=$(CURDIR)/$(VENV)/bin/python cargo test $(CARGO_FLAGS)
	@if command -v chromedriver >/dev/null && \
	{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; \
	then $(MAKE) browser; \
	else echo "the HTML page was not tested in a browser: chromedriver or a Chromium is missing"; fi

lint:
	cargo fmt --check
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

# The page of `--format html` in a real browser: chromedriver and a Chromium of the same version.
browser:
	cargo test $(CARGO_FLAGS) --test browser

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
