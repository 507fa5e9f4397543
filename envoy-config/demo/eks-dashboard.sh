# shellcheck shell=bash
# A dashboard behind eks-auth-proxy's rules: a verified address in one of the allowed domains.

serve --audience dashboard
gateway=$origin

show "The user is not logged in yet" 401 '' '' \
  "curl -is $gateway/login/check"
show "A page that is opened leads to the provider" 303 "location: $issuer/authorize" '' \
  "curl -is $navigate $gateway/workloads"
follow "$gateway/workloads"
show "Now she is logged in" 200 '' '' \
  "curl -is $jar $gateway/login/check"
show "The dashboard gets her identity, and not her session" 200 'x-auth-request-email: alice@example.com' 'cookie' \
  "curl -is $jar $navigate $gateway/"
show "Logging out ends the session at the provider, too" 303 "location: $issuer/logout" '' \
  "curl -is $jar $navigate $gateway/logout"
get_token "A cookie of an earlier login has an ID token" \
  'sub=alice&claims=%7B%22email%22:%22alice@example.com%22,%22email_verified%22:true%7D'
show "It goes on to work" 200 'x-auth-request-email: alice@example.com' 'cookie' \
  "curl -is --cookie \"id_token=\$TOKEN\" $gateway/"
get_token "Bob's address is not verified" \
  'sub=bob&claims=%7B%22email%22:%22bob@example.com%22,%22email_verified%22:false%7D' BOB
show "His requests are refused" 403 'access_denied' '' \
  "curl -is --cookie \"id_token=\$BOB\" $gateway/"
get_token "Mallory's address is verified, but in another domain" \
  'sub=mallory&claims=%7B%22email%22:%22mallory@example.com.evil.net%22,%22email_verified%22:true%7D' MALLORY
show "Her requests are refused as well" 403 'access_denied' '' \
  "curl -is --cookie \"id_token=\$MALLORY\" $gateway/"
