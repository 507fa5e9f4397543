#!/usr/bin/env bash
# Builds the module a second time, in another folder and with another CARGO_HOME, and compares it and its images with
# those in dist/.
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
  CARGO_ENCODED_RUSTFLAGS=$(ship/flags.sh) cargo build --locked -p filter --profile plugin --target wasm32-wasip1
  cp built/wasm32-wasip1/plugin/jotgate.wasm dist/jotgate.unstripped.wasm
  "$ship" strip dist/jotgate.unstripped.wasm dist/jotgate.wasm
  "$ship" pack dist/jotgate.wasm >/dev/null
)
for made in "$elsewhere"/dist/*; do diff --recursive --brief "dist/$(basename "$made")" "$made"; done
echo "the same bytes twice: sha256:$(cut -d' ' -f1 dist/jotgate.wasm.sha256)"
