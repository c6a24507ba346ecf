# `make check` is what must pass before a commit: the cheapest step first.
.PHONY: check fmt clippy test

check: fmt clippy test

fmt:
	cargo fmt --check

clippy:
	cargo clippy --all-targets -- -D warnings

test:
	cargo test
