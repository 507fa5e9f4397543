# shellcheck shell=bash
# STAC Auth Proxy with its defaults: everything except the landing page and similar paths needs a token.

serve --issuer https://idp.example.com/realms/stac --audience stac

show "The landing page is public" 200 'no identity' '' \
  "curl -is $gateway/"
show "The catalogue is not (DEFAULT_PUBLIC=false)" 401 'missing_token' '' \
  "curl -is '$gateway/search?collections=sentinel-2'"
show "Preflights of browsers pass without a token" 200 'no identity' '' \
  "curl -is -X OPTIONS -H 'Origin: https://browser.example' -H 'Access-Control-Request-Method: POST' $gateway/collections"
get_token "The issuer is https://idp.example.com/realms/stac; its keys are fetched from an internal address" \
  'sub=alice&scope=collection:create' TOKEN /realms/stac
show "With a token the catalogue is served; the upstream gets the token and the identity" 200 'x-auth-request-user: alice' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" '$gateway/search?collections=sentinel-2'"
show "The token is forwarded unchanged" 200 'authorization: Bearer' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/collections"
show "An invalid token is refused on a public endpoint as well" 401 'malformed_token' '' \
  "curl -is -H 'Authorization: Bearer nonsense' $gateway/conformance"
show "A path that two servers may read differently is refused before any rule" 400 'ambiguous_path' '' \
  "curl -is --path-as-is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/conformance/..%2Fcollections"
show "/healthz is the gate's own" 200 '"status":"ok"' '' \
  "curl -is $gateway/healthz"
show "People who open a page of the catalogue log in" 303 'location: https://idp.example.com/realms/stac/authorize' '' \
  "curl -is $navigate $origin/search"
show "Swagger UI logs in by itself: what comes back to it is its own" 200 'no identity' '' \
  "curl -is $navigate '$origin/docs/oauth2-redirect?code=abc&state=xyz'"
