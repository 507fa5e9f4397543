#!/usr/bin/env bash
# Breaks the engine on purpose, once for each patch in this folder, and shows that the simulation of keys notices; for
# those in callers/, that the simulation of callers does. Those in hosts/ break a host, and its own tests notice.
#
# A patch that does not apply any more is a failure, too: it has to be written anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${SEEDS:-1..600}
built=${CARGO_TARGET_DIR:-$PWD/target}
copy=$built/mutants/source
cargo test --quiet --locked -p host-tests --test simulation --no-run

missed=0

# A copy of the checkout with one patch: broken PATCH
broken() {
  rm -rf "$copy" && mkdir -p "$copy"
  git ls-files -z | grep -zv '^fuzz/' | xargs -0 cp --parents -t "$copy"
  patch --quiet -d "$copy" -p1 <"$1" || { echo "$1 does not apply any more" >&2; exit 1; }
}

# What a test says, in a line that has TEXT: report NAME TEXT COMMAND…
report() {
  local name=$1 text=$2 log=$built/mutants/$1.log
  shift 2
  if "$@" >"$log" 2>&1; then
    printf '   %-38s NOT NOTICED\n' "$name"
    missed=1
  else
    grep -q "$text" "$log" || { tail -20 "$log" >&2; exit 1; }
    printf '   %-38s %s\n' "$name" "$(grep -m1 "$text" "$log" | cut -c1-110)"
  fi
}

# The plugin, built from the copy.
build_plugin() {
  CARGO_TARGET_DIR=$built/mutants cargo build --quiet --locked --manifest-path "$copy/Cargo.toml" \
    -p filter --profile plugin --target wasm32-wasip1
}
plugin=$built/mutants/wasm32-wasip1/plugin/jotgate.wasm

for patch in host-tests/mutations/*.patch; do
  broken "$patch"
  build_plugin
  report "$(basename "$patch" .patch)" '^seed ' env JOTGATE_PLUGIN="$plugin" JOTGATE_SEEDS="$seeds" \
    cargo test --quiet --locked -p host-tests --test simulation
done
for patch in host-tests/mutations/callers/*.patch; do
  broken "$patch"
  report "$(basename "$patch" .patch)" '^seed ' env CARGO_TARGET_DIR="$built/mutants" JOTGATE_SEEDS="${SEEDS:-1..60}" \
    cargo test --quiet --locked --manifest-path "$copy/Cargo.toml" -p gate --test engine callers::callers_are_served
done

broken host-tests/mutations/hosts/keeps-configurations.patch
CARGO_TARGET_DIR=$built/mutants cargo build --quiet --locked --manifest-path "$copy/Cargo.toml" -p dynamic-module
report keeps-configurations 'bytes after a third of' \
  env JOTGATE_HOST=module JOTGATE_MODULE="$built/mutants/debug/libjotgate_module.so" \
  cargo test --quiet --locked -p host-tests --test module updates::
broken host-tests/mutations/hosts/loses-what-was-counted.patch
build_plugin
report loses-what-was-counted 'no_count_is_lost' \
  env JOTGATE_PLUGIN="$plugin" cargo test --quiet --locked -p host-tests --test plugin counts::
exit $missed
