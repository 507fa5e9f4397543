#!/usr/bin/env bash
# Fuzzes: run.sh <seconds for each target> [target …]
#
# JOTGATE_FUZZ_SEED is where its random numbers start; without it, that is another place each time. PROFILE=smoke builds
# faster, and runs slower.
#
# Each target first replays its corpus. What it finds on the way goes to corpus/ beside what is built, and is taken up the next time.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
profile=${PROFILE:-release}
targets=("$@")
[ $# -gt 0 ] || for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done

# Flags from outside would replace those of .cargo/config.toml.
built=${CARGO_TARGET_DIR:+$CARGO_TARGET_DIR/fuzz} built=${built:-target}
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET
export CARGO_TARGET_DIR=$built
cargo build --locked --profile "$profile" --quiet "${targets[@]/#/--bin=}"
binaries=$built/$(rustc -vV | sed -n 's/^host: //p')/$profile

field() { sed -n "s/.*$1.*/\1/p" "$log" | tail -1; }

for target in "${targets[@]}"; do
  log=$built/$target.log
  mkdir -p "$built/corpus/$target" artifacts
  if ! "$binaries/$target" -max_total_time="$seconds" -seed="${JOTGATE_FUZZ_SEED:-0}" -max_len=4096 -timeout=10 \
    -print_final_stats=1 -dict="dictionaries/$target.dict" -artifact_prefix="artifacts/$target-" \
    "$built/corpus/$target" "corpus/$target" >"$log" 2>&1; then
    artifact=$(field 'Test unit written to \(.*\)')
    [ -n "$artifact" ] || { tail -20 "$log" >&2; exit 1; }
    grep -A12 -m1 -E 'panicked at|ERROR: libFuzzer' "$log" | cut -c1-2000 >&2
    printf '\n%s failed on fuzz/%s\nreplay: cd fuzz && %s/%s %s\n' \
      "$target" "$artifact" "$binaries" "$target" "$artifact" >&2
    echo "once it is fixed: move the input to fuzz/corpus/$target, under a name that says what it is" >&2
    exit 1
  fi
  # A binary without counters runs as well, and finds nothing.
  grep -q 'inline 8-bit counters' "$log" || { echo "$target was built without coverage" >&2; exit 1; }
  printf '   %-14s %9d runs, %6d each second, %5d edges, %5d inputs in the corpus\n' "$target" \
    "$(field 'Done \([0-9]*\) runs')" "$(field 'average_exec_per_sec: *\([0-9]*\)')" \
    "$(field ' cov: \([0-9]*\)')" "$(field ' corp: \([0-9]*\)')"
done
