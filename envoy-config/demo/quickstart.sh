# shellcheck shell=bash
# The smallest gate: who may read, who may write, and who one claims to be.

serve --audience orders

show "A public path needs no token" 200 'no identity' '' \
  "curl -is $gateway/healthz"
show "Anything else does, and the answer says so" 401 'missing_token' '' \
  "curl -is $gateway/orders/7"
get_token "The issuer gives alice a token with the scope orders:read" 'sub=alice&scope=orders:read'
show "With it she passes; the upstream sees who she is, and not her token" 200 'x-auth-request-user: alice' 'authorization' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "Writing needs another scope, and the answer names it" 403 'scope="orders:write"' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "A forged identity header is gone before anyone reads it, however it is spelled" 200 'x-auth-request-user: alice' admin \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" -H 'X-Auth-Request-User: admin' -H 'X_Auth_Request_User: admin' $gateway/orders/7"
show "On public paths, too" 200 'no identity' admin \
  "curl -is -H 'X-Auth-Request-User: admin' $gateway/public/page"
