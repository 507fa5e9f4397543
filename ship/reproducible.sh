#!/usr/bin/env bash
# Builds the plugin (or, with the argument `module`, the native module) a second time, in another folder and with another
# CARGO_HOME, and compares it and its images with those in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."
ship=${CARGO_TARGET_DIR:-$PWD/target}/debug/ship
elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/jotgate else where.XXXXXX")
trap 'rm -rf "$elsewhere"' EXIT

git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar --extract --directory="$elsewhere"
mkdir "$elsewhere/cargo" "$elsewhere/dist"
# Downloaded already, but under another name.
ln -s "${CARGO_HOME:-$HOME/.cargo}/registry" "$elsewhere/cargo/registry"

(
  cd "$elsewhere"
  export CARGO_HOME=$elsewhere/cargo CARGO_TARGET_DIR=$elsewhere/built
  CARGO_ENCODED_RUSTFLAGS=$(ship/flags.sh)
  export CARGO_ENCODED_RUSTFLAGS
  if [[ ${1-} == module ]]; then
    cargo build --locked -p dynamic-module --profile module
    cp built/module/libjotgate_module.so dist/libjotgate.so
    "$ship" pack-native dist/libjotgate.so >/dev/null
  else
    cargo build --locked -p filter --profile plugin --target wasm32-wasip1
    cp built/wasm32-wasip1/plugin/jotgate.wasm dist/jotgate.unstripped.wasm
    "$ship" strip dist/jotgate.unstripped.wasm dist/jotgate.wasm
    "$ship" pack dist/jotgate.wasm >/dev/null
  fi
)
for made in "$elsewhere"/dist/*; do diff --recursive --brief "dist/$(basename "$made")" "$made"; done
echo "the same bytes twice: sha256:$(cut -d' ' -f1 "$elsewhere"/dist/*.sha256)"
