# shellcheck shell=bash
# STIG Manager: its scopes, and its streams.

serve --issuer https://idp.example.com/realms/stigman --audience stig-manager

api=$gateway/api

show "Events need no token; the first comes at once, and the stream is not cut" 200 'data: {"event": 2}' '' \
  "curl -iNs '$api/op/state/sse?events=2&interval_ms=500'"
show "Everything else below /api does" 401 'missing_token' '' \
  "curl -is $api/collections"
get_token "The issuer gives wendy, an admin, a token for collections" \
  'scope=stig-manager:collection&claims=%7B%22preferred_username%22:%22wendy%22,%22realm_access%22:%7B%22roles%22:%5B%22admin%22%5D%7D%7D'
show "The write scope includes reading; STIG Manager gets the identity and the token" 200 \
  'x-auth-request-user: wendy' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $api/collections"
show "Importing a STIG needs another scope, and the answer names it" 403 'scope="stig-manager:stig"' '' \
  "curl -is -X POST -H \"Authorization: Bearer \$TOKEN\" $api/stigs"
show "Cloning streams its progress line by line" 200 '{"line": 3}' '' \
  "curl -iNs -X POST -H \"Authorization: Bearer \$TOKEN\" '$api/collections/21/clone?as=ndjson&lines=3&interval_ms=300'"
show "Requests without a rule are denied" 403 'denied_by_rule' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $api/new"
