# shellcheck shell=bash
# An API behind another: each upstream gets a token that is for itself alone.

serve --audience gateway

show "Without a token nobody gets in" 401 'missing_token' '' \
  "curl -is $gateway/orders/7"
get_token "Alice's token is for the gateway" 'sub=alice'
show "The service gets another one, of hers, for itself" 200 'authorization: Bearer ey' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "For five minutes, each worker asks the issuer once" 200 'authorization: Bearer ey' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/8"
show "The other service is not for her, and nothing is asked for it" 403 'access_denied' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/billing/1"
get_token "Bob is in accounting" 'sub=bob&groups=accounting' BOB
show "There, he gets a token for billing" 200 'authorization: Bearer ey' '' \
  "curl -is -H \"Authorization: Bearer \$BOB\" $gateway/billing/1"
curl -s -o /dev/null -d '{"mode": "error", "error": "invalid_target", "times": 1}' "$issuer/control/exchange"
get_token "The issuer refuses to exchange Carol's token" 'sub=carol' CAROL
show "So she is refused" 403 'upstream_credential_denied' '' \
  "curl -is -H \"Authorization: Bearer \$CAROL\" $gateway/orders/7"
show "Others are not" 200 'authorization: Bearer ey' '' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/orders/7"
show "A public path gets no credential, not even one that a client sends" 200 'no identity' 'authorization' \
  "curl -is -H \"Authorization: Bearer \$TOKEN\" $gateway/public/page"
