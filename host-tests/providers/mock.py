"""oidc-provider-mock, a second OpenID provider, with code of its own.

    python3 mock.py '{"sub": "alice", "email": "alice@example.com"}'

It takes any client, and knows this user. It prints its port, and ends as soon as its standard input does.
"""

import json
import logging
import sys
import threading

from oidc_provider_mock import User, app
from werkzeug.serving import make_server

claims = json.loads(sys.argv[1])
logging.disable(logging.CRITICAL)
server = make_server("127.0.0.1", 0, app(user_claims=[User(sub=claims.pop("sub"), claims=claims)]), threaded=True)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
