#!/usr/bin/env bash
# Starts an issuer, an upstream and Envoy with a scenario's configuration, and shows what the gate does.
#
#   envoy-config/demo.sh [SCENARIO]   runs until Ctrl-C; quickstart by default
#   CHECK=1 envoy-config/demo.sh      exits; the exit status is 0 if all answers were as expected
#   MODULE=FILE envoy-config/demo.sh  with the native module in that file in place of the plugin
#
# A scenario is NAME.yaml beside this file and its walk-through demo/NAME.sh: one `serve`, then any number of `show`.
# Where there are two issuers, `serve_issuer second 18004` comes before it; likewise `serve_sts`. Where people log in at a provider that others
# wrote, `serve_provider` and `serve_gateway` take its place.
set -uo pipefail
cd "$(dirname "$0")/.."

scenario=${1:-quickstart} built=${CARGO_TARGET_DIR:-target}
walk_through=envoy-config/demo/$scenario.sh
if [ ! -f "$walk_through" ]; then
  echo "demo: there is no scenario \`$scenario\`; there are:" >&2
  for path in envoy-config/demo/*.sh; do name=${path##*/}; echo "  ${name%.sh}" >&2; done
  exit 2
fi

gateway=http://127.0.0.1:18000 issuer=http://127.0.0.1:18001 admin=http://127.0.0.1:18003
# Where people log in, this is the origin that they know: the gate's paths, and its cookies, are for one host.
origin=http://localhost:18000
logs=$(mktemp -d)
export OIDC_CLIENT_SECRET=a-secret-of-the-client JOTGATE_SESSION_SECRET
JOTGATE_SESSION_SECRET=$(head -c 48 /dev/urandom | base64 | tr -d '\n')

# What a browser says of a page that is opened, and of a script's request; and its cookies.
# shellcheck disable=SC2034
navigate="-H 'sec-fetch-mode: navigate' -H 'sec-fetch-dest: document' -H 'sec-fetch-site: none'" \
  script="-H 'sec-fetch-mode: cors' -H 'sec-fetch-dest: empty' -H 'sec-fetch-site: same-origin'" \
  jar="--cookie \$logs/jar --cookie-jar \$logs/jar"
pids=() failures=0

bold() { printf '\033[1m%s\033[0m\n' "$*"; }

cleanup() {
  trap - EXIT INT TERM
  # Envoy first: nothing is in front of what ends after it.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null; wait "${pids[i]}" 2>/dev/null; done
  rm -rf "$logs"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
  echo "demo: $1" >&2
  for log in "$logs"/*.log; do [ -s "$log" ] && { echo "--- the end of ${log##*/}:" >&2; tail -n 25 "$log" >&2; }; done
  exit 1
}

for port in 18000 18001 18002 18003 18004 18005; do
  if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then
    echo "demo: port $port of this machine is in use; end what listens there and try again" >&2
    exit 1
  fi
done

start() { # name, command…
  local name=$1
  shift
  "$@" >"$logs/$name.log" 2>&1 &
  pids+=($!)
}

wait_for() { # name, URL
  for _ in $(seq 300); do
    curl -sf -o /dev/null --max-time 1 "$2" && return
    kill -0 "${pids[-1]}" 2>/dev/null || fail "$1 has ended"
    sleep 0.1
  done
  fail "$1 does not answer at $2"
}

serve_issuer() { # name, port, options…
  local name=$1 port=$2
  shift 2
  bold "Starting the $name issuer ($port)"
  start "$name-issuer" "$built/debug/testbed" issuer --listen "127.0.0.1:$port" "$@"
  wait_for "the $name issuer" "http://127.0.0.1:$port/jwks"
}

serve_sts() { # options…
  bold "Starting a security token service (18005)"
  start sts "$built/debug/testbed" sts --listen 127.0.0.1:18005 --issuer "$issuer" "$@"
  for _ in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/18005) 2>/dev/null && return; sleep 0.1; done
  fail "the security token service does not answer"
}

serve() { # options of the issuer…
  bold "Starting an issuer (18001)"
  start issuer "$built/debug/testbed" issuer --listen 127.0.0.1:18001 "$@"
  wait_for "the issuer" "$issuer/jwks"
  serve_gateway
}

serve_provider() { # options of host-tests/providers/certified.mjs, as JSON
  local providers=${JOTGATE_TOOLS:-.tools}/providers script=$PWD/host-tests/providers/certified.mjs
  bold "Starting oidc-provider (18001)"
  [ -e "$providers/installed" ] || fail "oidc-provider is not installed: run \`make providers\`"
  # It ends with its standard input, so with this script.
  mkfifo "$logs/input" && exec 7<>"$logs/input"
  start provider env -C "$providers" sh -c 'exec node "$@" <&7' sh "$script" "$1"
  wait_for "oidc-provider" "$issuer/jwks"
}

serve_gateway() {
  local config=envoy-config/$scenario.yaml gate=plugin
  if [ -n "${MODULE:-}" ]; then
    local name
    name=$(basename "$MODULE" .so) gate="native module" config=$logs/$scenario.yaml
    python3 envoy-config/as-module.py "envoy-config/$scenario.yaml" "${name#lib}" >"$config" || fail "the plugin is not there"
    ENVOY_DYNAMIC_MODULES_SEARCH_PATH=$(realpath "$(dirname "$MODULE")")
    export ENVOY_DYNAMIC_MODULES_SEARCH_PATH
  fi
  bold "Starting an upstream (18002) and Envoy with the $gate (18000): envoy-config/$scenario.yaml"
  start upstream "$built/debug/testbed" upstream --listen 127.0.0.1:18002
  wait_for "the upstream" http://127.0.0.1:18002/
  start envoy "${JOTGATE_TOOLS:-.tools}/venv/bin/jotgate-envoy" -c "$config" --concurrency 2 --use-dynamic-base-id \
    --log-level warning --component-log-level wasm:info,dynamic_modules:info
  envoy=${pids[-1]}
  wait_for Envoy "$admin/ready"
}

# Prints an answer; of one in which the upstream tells what it saw, only what is about identity.
print_answer() {
  python3 - "$1" <<'PYTHON'
import json, sys
head, _, body = open(sys.argv[1], errors="replace", newline="").read().replace("\r\n", "\n").partition("\n\n")
try:
    seen = json.loads(body)["headers"]
except (ValueError, KeyError):
    for line in head.split("\n"):
        if not line.lower().startswith(("date:", "server:", "content-length:", "x-testbed-", "x-envoy-")):
            print("   ", line)
    print("\n".join(f"    {line}" for line in body.split("\n")))
else:
    print("    the upstream saw:")
    told = [f"      {name}: {value}" for name, value in seen if name.startswith("x-auth-request") or name in ("authorization", "cookie", "dpop")]
    print("\n".join(told) or "      no identity")
PYTHON
}

# Pages of others are long, and their beginning is enough.
shorten() { awk 'NR <= 24; END { if (NR > 24) print "    … and " NR - 24 " lines more" }'; }

show() { # what it shows, expected status, text expected in what is printed or "", text that may not be there or "", command
  local printed status
  printf '\n'
  bold "$1"
  # A jar of the reader's own: ours is deleted with the demo.
  printf '  %s\n' "${5//\$logs\//}"
  status=$(eval "curl --max-time 10 -o $logs/answer -w '%{http_code}' ${5#curl }")
  printed=$(print_answer "$logs/answer")
  shorten <<<"$printed"
  if [ "$status" != "$2" ] || [[ $printed != *"$3"* ]] || { [ -n "$4" ] && [[ $printed == *"$4"* ]]; }; then
    printf '  \033[31mnot as it should be: expected status %s%s%s, found %s\033[0m\n' \
      "$2" "${3:+ and \`$3\`}" "${4:+ and no \`$4\`}" "$status"
    failures=$((failures + 1))
  fi
}

# Opens a page as browsers do, and goes wherever it leads.
follow() { # URL, options
  printf '\n'
  bold "The browser goes to the provider and back: $1"
  eval "curl -sL --max-time 10 -o $logs/answer $jar $navigate ${2:-} '$1'" || fail "$1 leads nowhere"
}

# Gets a token, and shows how.
get_token() { # what it is, parameters, variable (default TOKEN), path of the issuer, or the URL of another one
  local variable=${3:-TOKEN} base=${4:-}
  [[ $base == http* ]] || base=$issuer$base
  local url="$base/token?$2"
  printf '\n'
  bold "$1"
  printf "  export %s=\$(curl -s '%s')\n" "$variable" "$url"
  printf -v "$variable" %s "$(curl -sf "$url")"
  [ -n "${!variable}" ] || fail "the issuer mints no token"
  export "${variable?}"
}

# shellcheck source=/dev/null
. "$walk_through"

printf '\n'
if [ "$failures" -gt 0 ]; then
  fail "$failures of the requests above were not answered as they should be"
fi
if [ -n "${CHECK:-}" ]; then
  bold "Everything is as it should be."
  exit 0
fi
bold "Everything is up until you press Ctrl-C. Try the commands above; Envoy's log shows every decision:"
tail -n +1 -f "$logs/envoy.log" &
pids+=($!)
wait "$envoy"
fail "Envoy has ended"
