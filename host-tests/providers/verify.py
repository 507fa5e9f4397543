"""PyJWT's word on a token, with a key set at a URL.

    python3 verify.py http://…/jwks.json ISSUER AUDIENCE < token

It prints the claims; a token that is not good ends it with an error.
"""

import json
import sys

import jwt

jwks, issuer, audience = sys.argv[1:]
token = sys.stdin.read().strip()
key = jwt.PyJWKClient(jwks).get_signing_key_from_jwt(token)
required = ["aud", "exp", "iat", "iss", "jti", "sub"]
algorithms = ["EdDSA", "ES256"]
claims = jwt.decode(token, key, algorithms, audience=audience, issuer=issuer, options={"require": required})
print(json.dumps(claims))
