# shellcheck shell=bash
# Nauthera: sessions in cookies, from two AuthServers.

partners=http://127.0.0.1:18004

serve_issuer partners 18004 --issuer https://auth.partners.example.com --audience web-apps
serve --issuer https://auth.prod.example.com --audience web-apps

show "Without a session there is nothing to see" 401 'missing_token' '' \
  "curl -is $gateway/"
get_token "One AuthServer gives alice a session of ten minutes" 'sub=alice&groups=admins&scope=api:read&lifetime=600' ALICE
get_token "Another gives one to a namesake of hers" 'sub=alice&groups=admins&scope=api:read&lifetime=300' NAMESAKE "$partners"
show "The application is told which of them comes" 200 'x-auth-request-issuer: https://auth.prod.example.com' 'cookie' \
  "curl -is --cookie \"session=\$ALICE\" $gateway/api/orders"
show "… and which" 200 'x-auth-request-issuer: https://auth.partners.example.com' 'cookie' \
  "curl -is --cookie \"session=\$NAMESAKE\" $gateway/api/orders"
show "A rule may be for the people of one of them" 200 'x-auth-request-user: alice' '' \
  "curl -is --cookie \"session=\$ALICE\" $gateway/admin/users"
show "The namesake is an admin elsewhere" 403 'access_denied' '' \
  "curl -is --cookie \"session=\$NAMESAKE\" $gateway/admin/users"
get_token "A session that would live for an hour was not made by the rules" 'sub=alice&lifetime=3600' LONG
show "It is refused" 401 'lifetime_too_long' '' \
  "curl -is --cookie \"session=\$LONG\" $gateway/"
