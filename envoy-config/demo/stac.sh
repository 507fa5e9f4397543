# shellcheck shell=bash
# STAC Auth Proxy with its defaults: everything but the landing page and its like needs a token.

serve --issuer https://idp.example.com/realms/stac --audience stac

show "The landing page is public" 200 'no identity' '' \
  "curl -is $gateway/"
show "The catalogue is not, as DEFAULT_PUBLIC=false has it" 401 'missing_token' '' \
  "curl -is '$gateway/search?collections=sentinel-2'"
show "What browsers ask before they send a token passes" 200 'no identity' '' \
  "curl -is -X OPTIONS -H 'Origin: https://browser.example' -H 'Access-Control-Request-Method: POST' $gateway/collections"
get_token "The issuer says that it is https://idp.example.com/realms/stac; its keys are fetched from an internal address" \
  'sub=alice&scope=collection:create' TOKEN /realms/stac
show "With a token the catalogue is there; the upstream sees the token, and who calls" 200 'x-auth-request-user: alice' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" '$gateway/search?collections=sentinel-2'"
show "The token is forwarded, as it was" 200 'authorization: Bearer' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/collections"
show "A bad token is refused on a public endpoint, too" 401 'malformed_token' '' \
  "curl -is -H 'Authorization: Bearer nonsense' $gateway/conformance"
show "A path that two servers may read differently is refused before it is compared with anything" 400 'ambiguous_path' '' \
  "curl -is --path-as-is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/conformance/..%2Fcollections"
show "/healthz is the gate's own" 200 '"status":"ok"' '' \
  "curl -is $gateway/healthz"
