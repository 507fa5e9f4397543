"""Serves an application on a free port of 127.0.0.1, which is printed, until the standard input ends.

serve.py SERVER MODULE:APPLICATION
"""

import asyncio
import importlib
import os
import signal
import socket
import sys
import threading

# An idle connection stays: a proxy that asks again over one that ends in that moment would answer 503.
IDLE_SECONDS = 3600


def listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    listener.set_inheritable(True)
    return listener


def end_with_the_input():
    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Timer(3, lambda: os._exit(1)).start()
    threading.Thread(target=wait, daemon=True).start()


def gunicorn(app, listener):
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"fd://{listener.fileno()}")
            self.cfg.set("loglevel", "warning")
            self.cfg.set("control_socket_disable", True)

        def load(self):
            return app
    Server().run()


def hypercorn(app, listener):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = IDLE_SECONDS
    asyncio.run(serve(app, config))


def uvicorn(app, listener):
    from uvicorn import Config, Server
    asyncio.run(Server(Config(app, http="h11", log_level="warning", timeout_keep_alive=IDLE_SECONDS)).serve([listener]))


def werkzeug(app, listener):
    from werkzeug.serving import make_server
    make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno()).serve_forever()


SERVERS = {"gunicorn": gunicorn, "hypercorn": hypercorn, "uvicorn": uvicorn, "werkzeug": werkzeug}

if __name__ == "__main__":
    server, (module, name) = sys.argv[1], sys.argv[2].split(":")
    application = getattr(importlib.import_module(module), name)
    listener = listen()
    end_with_the_input()
    print(listener.getsockname()[1], flush=True)
    SERVERS[server](application, listener)
