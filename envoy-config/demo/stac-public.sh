# shellcheck shell=bash
# STAC Auth Proxy with DEFAULT_PUBLIC=true: reading is public, and changes need a token.

serve --issuer https://idp.example.com/realms/stac --audience stac

show "Searching is public" 200 'no identity' '' \
  "curl -is '$gateway/search?collections=sentinel-2'"
show "Creating a collection needs a token" 401 'missing_token' '' \
  "curl -is -X POST $gateway/collections"
show "In every spelling of the path" 401 'missing_token' '' \
  "curl -is -X POST $gateway/Collections/"
show "A page of another site sends a preflight, and Envoy answers" 200 'access-control-allow-origin: https://browser.example' '' \
  "curl -is -X OPTIONS -H 'Origin: https://browser.example' -H 'Access-Control-Request-Method: POST' $gateway/collections"
get_token "The issuer gives alice a token" 'sub=alice' TOKEN /realms/stac
show "With it she may create one" 200 'x-auth-request-user: alice' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $gateway/collections"
show "And she is identified where she needs no token" 200 'x-auth-request-user: alice' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/search"
get_token "An expired token" 'sub=alice&lifetime=-3600' EXPIRED /realms/stac
show "It is refused on public paths as well" 401 'expired' '' \
  "curl -is -H \"Authorization: Bearer \$EXPIRED\" $gateway/search"
