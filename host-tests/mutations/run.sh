#!/usr/bin/env bash
# Breaks the engine on purpose, once for each patch in this folder, and shows that the simulation of keys notices.
#
# A patch that does not apply any more is a failure, too: it has to be written anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${SEEDS:-1..200}
built=${CARGO_TARGET_DIR:-$PWD/target}
copy=$built/mutants/source
cargo test --quiet --locked -p host-tests --test simulation --no-run

missed=0
for patch in host-tests/mutations/*.patch; do
  name=$(basename "$patch" .patch)
  rm -rf "$copy" && mkdir -p "$copy"
  git ls-files -z | grep -zv '^fuzz/' | xargs -0 cp --parents -t "$copy"
  if ! patch --quiet -d "$copy" -p1 <"$patch"; then
    echo "$name: the patch does not apply any more" >&2
    exit 1
  fi
  CARGO_TARGET_DIR=$built/mutants cargo build --quiet --locked --manifest-path "$copy/Cargo.toml" \
    -p filter --profile plugin --target wasm32-wasip1
  log=$built/mutants/$name.log
  if JOTGATE_PLUGIN=$built/mutants/wasm32-wasip1/plugin/jotgate.wasm JOTGATE_SEEDS=$seeds \
    cargo test --quiet --locked -p host-tests --test simulation >"$log" 2>&1; then
    printf '   %-32s NOT NOTICED in the seeds %s\n' "$name" "$seeds"
    missed=1
  else
    printf '   %-32s %s\n' "$name" "$(grep -m1 '^seed ' "$log" | cut -c1-110)"
    grep -q '^seed ' "$log" || { tail -20 "$log" >&2; exit 1; }
  fi
done
exit $missed
