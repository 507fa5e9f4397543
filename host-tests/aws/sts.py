"""moto's security token service: AWS's, as others imitate it.

    python3 sts.py

It prints its port, and ends as soon as its standard input does.
"""

import logging
import sys
import threading
import urllib.request

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.disable(logging.CRITICAL)
application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", 0, application, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
# It reads most of itself at the first request, which should not be one with a time limit.
first = f"http://127.0.0.1:{server.server_port}/?Action=GetCallerIdentity&Version=2011-06-15"
urllib.request.urlopen(urllib.request.Request(first, headers={"host": "sts.amazonaws.com"})).read()
print(server.server_port, flush=True)
sys.stdin.read()
