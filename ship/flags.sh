#!/usr/bin/env bash
# Prints the flags that keep the paths of this machine out of the module, so that its bytes do not depend on where it is
# built; in the form of CARGO_ENCODED_RUSTFLAGS, which bears blanks in paths, and passes other RUSTFLAGS over.
set -euo pipefail
cd "$(dirname "$0")/.."
# The crates must be there for their folders to have names, which differ where a mirror is in use.
cargo fetch --locked --quiet --target wasm32-wasip1
remap() { printf -- '%s--remap-path-prefix=%s=%s' "${separator-}" "$1" "$2"; separator=$'\x1f'; }
remap "$PWD" /jotgate
remap "${CARGO_TARGET_DIR:-$PWD/target}" /target
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do remap "$registry" /crates; done
# Where the standard library's sources are installed, rustc names their place; elsewhere this one.
remap "$(rustc --print sysroot)/lib/rustlib/src/rust" "/rustc/$(rustc -vV | sed -n 's/^commit-hash: //p')"
