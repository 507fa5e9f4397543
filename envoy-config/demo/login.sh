# shellcheck shell=bash
# People log in to a dashboard, at a provider that the gate knows nothing about but its discovery document.

gateway=$origin
serve_provider '{
  "port": 18001, "login": "forms", "accounts": {"alice": {"groups": ["ops"]}},
  "clients": [{
    "id": "dashboard", "authentication": "basic", "secret": "a-secret-of-the-client",
    "redirectUris": ["http://localhost:18000/.jotgate/callback"],
    "postLogoutRedirectUris": ["http://localhost:18000/public/goodbye"]
  }]
}'
serve_gateway

# Submits the form of the page that was shown last.
submit() { # fields
  local page action
  page=$(<"$logs/answer")
  action=${page##*<form}
  action=${action#*action=\"}
  eval "curl -isL $jar $navigate --max-time 10 -o $logs/answer $1 '${action%%\"*}'"
}

show "A script that is not logged in gets 401, and where to log in" 401 '"login":"/.jotgate/login"' '' \
  "curl -is $script $gateway/reports"
show "A page that is opened leads to the provider" 303 'location: http://127.0.0.1:18001/auth' '' \
  "curl -is $jar $navigate $gateway/reports/7"
show "There, a form asks who is there" 200 'Enter any login' '' \
  "curl -isL $jar $navigate $gateway/reports/7"
submit "--data prompt=login --data login=alice --data password=any"
submit "--data prompt=consent"
show "Alice has logged in: the upstream knows her" 200 'x-auth-request-user: alice' 'jotgate' \
  "curl -is $jar $navigate $gateway/reports/7"
show "Her scripts have the same session" 200 'x-auth-request-groups: ops' '' \
  "curl -is $jar $script $gateway/admin/users"
show "Another site cannot use it" 403 'cross_site_request' '' \
  "curl -is $jar -X POST -H 'sec-fetch-site: cross-site' $gateway/reports"
show "Pages learn who is logged in" 200 '"subject":"alice"' '' \
  "curl -is $jar $script $gateway/.jotgate/session"
show "She logs out: the cookies are deleted, and the provider is asked to end its session, too" 303 \
  'location: http://127.0.0.1:18001/session/end' '' "curl -is $jar $navigate $gateway/.jotgate/logout"
printf '\n'
bold "Log in yourself: open $gateway in a browser. Any name and password will do; alice is in the group \`ops\` of /admin."
