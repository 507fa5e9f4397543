# shellcheck shell=bash
# Nauthera: sessions in cookies, from two AuthServers.

partners=http://127.0.0.1:18004

serve_issuer partners 18004 --issuer https://auth.partners.example.com --audience web-apps
serve --issuer https://auth.prod.example.com --audience web-apps

show "Without a session the request is refused" 401 'missing_token' '' \
  "curl -is $gateway/"
get_token "One AuthServer gives alice a session of ten minutes" 'sub=alice&groups=admins&scope=api:read&lifetime=600' ALICE
get_token "Another one gives a session to another alice" 'sub=alice&groups=admins&scope=api:read&lifetime=300' NAMESAKE "$partners"
show "The application gets the issuer of the session" 200 'x-auth-request-issuer: https://auth.prod.example.com' 'cookie' \
  "curl -is --cookie \"session=\$ALICE\" $gateway/api/orders"
show "… for the other one as well" 200 'x-auth-request-issuer: https://auth.partners.example.com' 'cookie' \
  "curl -is --cookie \"session=\$NAMESAKE\" $gateway/api/orders"
show "A rule may require one of the issuers" 200 'x-auth-request-user: alice' '' \
  "curl -is --cookie \"session=\$ALICE\" $gateway/admin/users"
show "The other alice is an admin elsewhere" 403 'access_denied' '' \
  "curl -is --cookie \"session=\$NAMESAKE\" $gateway/admin/users"
get_token "A session of an hour is longer than the policy allows" 'sub=alice&lifetime=3600' LONG
show "It is refused" 401 'lifetime_too_long' '' \
  "curl -is --cookie \"session=\$LONG\" $gateway/"
show "A browser that opens a page is sent to an AuthServer" 303 'location: https://auth.prod.example.com/authorize' '' \
  "curl -is $navigate -H 'host: app.example.com' $gateway/"
show "Or to the one that its user chooses" 200 'login=partners' '' \
  "curl -is $navigate -H 'host: app.example.com' $gateway/.jotgate/login"
