# `just` lists the recipes; `just check` is exactly what CI runs.

set shell := ["bash", "-euo", "pipefail", "-c"]

# List the recipes
default:
    @just --list --unsorted

# Everything that must hold before a change is merged, with the time that each step took
check:
    #!/usr/bin/env bash
    set -euo pipefail
    for step in fmt-check lint test doc tidy guests-check verify deny advisories; do
        echo "== $step"
        started=$SECONDS
        just "$step"
        echo "== $step took $((SECONDS - started)) s"
    done

# Format every Rust file
fmt:
    cargo fmt --all

# Check the formatting
fmt-check:
    cargo fmt --all --check

# Clippy over every target, warnings are errors
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# All tests, those in documentation included
test *ARGS:
    cargo test --workspace {{ ARGS }}

# All tests but those in documentation, one process each, as nextest runs them
nextest *ARGS:
    cargo nextest run --workspace {{ ARGS }}

# The documentation, warnings are errors
doc $RUSTDOCFLAGS="-D warnings":
    cargo doc --workspace --no-deps

# Layers, imports and the other rules that no compiler checks
tidy:
    cargo xtask tidy

# The sixteen commands that say whether the runtime layer is as specified
verify *ARGS:
    cargo xtask verify {{ ARGS }}

# Licences, duplicate dependencies and where dependencies come from
deny:
    cargo deny check bans licenses sources

# Known vulnerabilities of dependencies; says so where the database on GitHub cannot be reached
advisories *ARGS:
    cargo xtask advisories {{ ARGS }}

# Fuzz one of the targets in fuzz/ for a minute; what it finds new stays in fuzz/target
fuzz TARGET *ARGS:
    mkdir -p fuzz/target/corpus/{{ TARGET }}
    RUSTC_BOOTSTRAP=1 cargo fuzz run {{ TARGET }} \
        fuzz/target/corpus/{{ TARGET }} fuzz/corpus/{{ TARGET }} -- \
        -max_total_time=60 -timeout=30 -rss_limit_mb=3072 {{ ARGS }}

# The tests of our own unsafe code under Miri, which needs nightly Rust with `miri` and `rust-src`
miri $RUSTFLAGS="--cfg rustix_use_libc" $MIRIFLAGS="-Zmiri-disable-isolation":
    cargo +nightly miri test --package airssys-wasm --lib runtime::slab

# Line coverage of the host library, as a page in coverage/html/
coverage:
    #!/usr/bin/env bash
    set -euo pipefail
    llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    # Where rustup has no component llvm-tools, Debian's package llvm-NN has the same programs.
    if [ ! -e "$(rustc --print target-libdir)/../bin/llvm-cov" ] && command -v "llvm-cov-$llvm" >/dev/null; then
        export LLVM_COV="llvm-cov-$llvm" LLVM_PROFDATA="llvm-profdata-$llvm"
    fi
    cargo llvm-cov --package airssys-wasm --fail-under-lines 90 --html --output-dir coverage

# Build the guest programs anew
guests:
    cargo xtask guests

# Check that the committed guest binaries are those of their sources
guests-check:
    cargo xtask guests --check

# Measure against the floor and against peers; `--quick` for a first look
bench *ARGS:
    cargo xtask bench {{ ARGS }}
