# shellcheck shell=bash
# A dashboard behind what eks-auth-proxy did: a verified address in one of the allowed domains, and a token for the cluster.

serve_sts --audience dashboard --role arn:aws:iam::111122223333:role/viewer
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
token=$(sed -n 's/.*\(k8s-aws-v1\.[A-Za-z0-9_-]*\).*/\1/p' "$logs/answer")
show "And a token for its cluster, which knows by it who she is" 200 'assumed-role/viewer/alice' '' \
  "curl -is -H 'Authorization: Bearer $token' 'http://127.0.0.1:18005/authenticate?cluster=prod'"
show "It is for this cluster alone" 401 'signature' '' \
  "curl -is -H 'Authorization: Bearer $token' 'http://127.0.0.1:18005/authenticate?cluster=another'"
show "Logging out ends the session at the provider, too" 303 "location: $issuer/logout" '' \
  "curl -is $jar $navigate $gateway/logout"
# The provider knows alice by a cookie of its own, as long as nobody goes to its logout.
rm -f "$logs/jar"
curl -s -o /dev/null -d '{"user": {"sub": "bob", "email": "bob@example.com", "email_verified": false}}' "$issuer/control/provider"
follow "$gateway/workloads"
show "Bob's address is not verified: he is refused" 403 'access_denied' '' \
  "curl -is $jar $script $gateway/"
rm -f "$logs/jar"
curl -s -o /dev/null -d '{"user": {"sub": "mallory", "email": "mallory@example.com.evil.net"}}' "$issuer/control/provider"
follow "$gateway/workloads"
show "Mallory's address is verified, but in another domain: she is refused as well" 403 'access_denied' '' \
  "curl -is $jar $script $gateway/"
