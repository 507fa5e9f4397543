# shellcheck shell=bash
# Tokens that are of no use to who steals them.

export NONCE_SECRET=$JOTGATE_SESSION_SECRET
serve --audience payments

testbed=$built/debug/testbed
"$testbed" key >"$logs/key" && "$testbed" key >"$logs/other-key"
thumbprint=$("$testbed" thumbprint --key "$logs/key")

# A proof for a request, in PROOF.
prove() { # method, path, options
  PROOF=$("$testbed" proof --key "${KEY:-$logs/key}" --token "$TOKEN" "${@:3}" "$1" "$gateway$2")
  export PROOF
}

get_token "Alice's token is bound to a key of her client: it has the key's thumbprint" \
  "sub=alice&scope=pay&claims=%7B%22cnf%22:%7B%22jkt%22:%22$thumbprint%22%7D%7D"
show "Who has stolen it has nothing" 401 'proof_missing' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/payments/7"
prove GET /payments/7
show "A proof needs a nonce of the gate's first" 401 'use_dpop_nonce' '' \
  "curl -is -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments/7"
nonce=$(tr -d '\r' <"$logs/answer" | sed -n 's/^dpop-nonce: *//Ip')
prove GET /payments/7 --nonce "$nonce"
show "With it, she is let in; the proof stays here" 200 'x-auth-request-user: alice' 'dpop' \
  "curl -is -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments/7"
show "The same proof is good once" 401 'proof_replayed' '' \
  "curl -is -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments/7"
prove GET /payments/7 --nonce "$nonce"
show "And for one request" 401 'bad_proof' '' \
  "curl -is -X POST -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments/7"
KEY=$logs/other-key prove GET /payments/7 --nonce "$nonce"
show "One of another key is none" 401 'bad_proof' '' \
  "curl -is -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments/7"
prove POST /payments --nonce "$nonce"
show "She pays" 200 'x-auth-request-user: alice' '' \
  "curl -is -X POST -H \"Authorization: DPoP \$TOKEN\" -H \"DPoP: \$PROOF\" $gateway/payments"
get_token "Bob's token is not bound" 'sub=bob&scope=pay' BOB
show "He may read" 200 'x-auth-request-user: bob' '' \
  "curl -is -H \"Authorization: Bearer \$BOB\" $gateway/payments/7"
show "But not pay" 401 'proof_missing' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$BOB\" $gateway/payments"
