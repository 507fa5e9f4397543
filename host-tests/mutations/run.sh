#!/usr/bin/env bash
# Breaks the engine on purpose, once for each patch in this folder, and shows that the simulation of keys notices; for
# those in callers/, that the simulation of callers does.
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

# What a simulation says: report NAME COMMAND…
report() {
  local name=$1 log=$built/mutants/$1.log
  shift
  if "$@" >"$log" 2>&1; then
    printf '   %-38s NOT NOTICED\n' "$name"
    missed=1
  else
    grep -q '^seed ' "$log" || { tail -20 "$log" >&2; exit 1; }
    printf '   %-38s %s\n' "$name" "$(grep -m1 '^seed ' "$log" | cut -c1-110)"
  fi
}

for patch in host-tests/mutations/*.patch; do
  broken "$patch"
  CARGO_TARGET_DIR=$built/mutants cargo build --quiet --locked --manifest-path "$copy/Cargo.toml" \
    -p filter --profile plugin --target wasm32-wasip1
  report "$(basename "$patch" .patch)" \
    env JOTGATE_PLUGIN="$built/mutants/wasm32-wasip1/plugin/jotgate.wasm" JOTGATE_SEEDS="$seeds" \
    cargo test --quiet --locked -p host-tests --test simulation
done
for patch in host-tests/mutations/callers/*.patch; do
  broken "$patch"
  report "$(basename "$patch" .patch)" \
    env CARGO_TARGET_DIR="$built/mutants" JOTGATE_SEEDS="${SEEDS:-1..60}" \
    cargo test --quiet --locked --manifest-path "$copy/Cargo.toml" -p gate --test engine callers::callers_are_served
done
exit $missed
