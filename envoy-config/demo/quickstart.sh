# shellcheck shell=bash
# The smallest gate: reading, writing, and forged identities.

serve --audience orders

show "A public path needs no token" 200 'no identity' '' \
  "curl -is $gateway/healthz"
show "Anything else does, and the answer says so" 401 'missing_token' '' \
  "curl -is $gateway/orders/7"
get_token "The issuer gives alice a token with the scope orders:read" 'sub=alice&scope=orders:read'
show "With it the request passes; the upstream gets her identity, and not her token" 200 'x-auth-request-user: alice' 'authorization' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "Writing needs another scope, and the answer names it" 403 'scope="orders:write"' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "A forged identity header is removed, in any spelling" 200 'x-auth-request-user: alice' admin \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" -H 'X-Auth-Request-User: admin' -H 'X_Auth_Request_User: admin' $gateway/orders/7"
show "Also on public paths" 200 'no identity' admin \
  "curl -is -H 'X-Auth-Request-User: admin' $gateway/public/page"
