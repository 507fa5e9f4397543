# shellcheck shell=bash
# Gafaelfawr's /auth: scopes from groups, three ways to send a token, all headers that the application gets, and the tokens
# that it issues.

SIGNING_KEY=$("$built/debug/testbed" key)
export SIGNING_KEY
serve --audience https://data.example.com

claims='%7B%22uid%22:%22alice%22,%22uidNumber%22:4151,%22email%22:%22alice@example.com%22,%22isMemberOf%22:%5B%22g_users%22%5D%7D'

show "Without a token: 401 with a challenge, not to be cached" 401 'Bearer realm="data.example.com"' '' \
  "curl -is $gateway/portal/app"
show "auth_type=basic asks for a password" 401 'Basic realm="data.example.com"' '' \
  "curl -is $gateway/files/a"
get_token "A token with the claims uid, uidNumber, email and isMemberOf: alice is in g_users" "claims=$claims"
show "g_users gives read:image, and one of two scopes is enough; the application gets her identity" 200 'token-scopes-satisfy: any' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/portal/app"
show "Here both are needed" 200 'token-scopes-accepted: read:image read:tap' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/api/tap/sync"
show "The application gets a token that was issued for it" 200 'x-auth-request-token: ey' 'authorization' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/internal/service"
show "And finds its key here" 200 '"kty":"EC"' '"d":' \
  "curl -is $gateway/.well-known/jwks.json"
get_token "A token of Gafaelfawr 2 is no JWT" \
  'opaque=gt-&claims=%7B%22iss%22:null,%22aud%22:null,%22sub%22:null,%22username%22:%22carol%22,%22scopes%22:%5B%22read:image%22%5D%7D' OPAQUE
show "Gafaelfawr is asked what it is good for" 200 'x-auth-request-user: carol' '' \
  "curl -is -H \"Authorization: Bearer \$OPAQUE\" $gateway/portal/app"
show "One that it does not know is refused" 401 'inactive_token' '' \
  "curl -is -H 'Authorization: Bearer gt-made-up' $gateway/portal/app"
show "For this she is in the wrong group, and the answer names the scope" 403 'scope="exec:admin"' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/admin/users"
show "A browser has the token in its cookie, which comes first: an Authorization of the application's own stays" 200 'authorization: token 0123456789abcdef' '' \
  "curl -is -b \"gafaelfawr=\$TOKEN\" -H 'Authorization: token 0123456789abcdef' $gateway/portal/app"
show "A client that only supports Basic sends it as the password of x-oauth-basic" 200 'x-auth-request-user: alice' '' \
  "curl -is -u \"x-oauth-basic:\$TOKEN\" $gateway/portal/app"
show "A page that is opened leads to the provider, from where the browser comes back to /login" 303 "location: $issuer/authorize" '' \
  "curl -is $navigate $origin/portal/app"
curl -s -o /dev/null -d '{"user": {"uid": "alice", "uidNumber": 4151, "isMemberOf": ["g_users"]}}' "$issuer/control/provider"
follow "$origin/login?rd=/portal/app"
show "The session gives the scopes of her groups" 200 'x-auth-request-token-scopes: read:image read:tap' 'cookie' \
  "curl -is $jar $navigate $origin/portal/app"
show "A script without a session is told where to log in" 401 '"login":"/login"' '' \
  "curl -is $script -H 'X-Requested-With: XMLHttpRequest' $origin/portal/app"
show "/logout?rd= is where it was" 303 "location: $issuer/logout" '' \
  "curl -is $jar $navigate '$origin/logout?rd=/static/bye'"
show "The application's own 403 passes unchanged" 403 'the upstream says 403' 'reason' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/portal/status/403"
show "Forged headers are removed, on public pages as well" 200 'no identity' admin \
  "curl -is -H 'X-Auth-Request-User: admin' -H 'X_Auth_Request_Uid: 0' $gateway/static/logo"
