"""Flask: the decoded path, several lines of a header joined by a comma, the method as it came."""

from flask import Flask, jsonify, request
from werkzeug.middleware.proxy_fix import ProxyFix

import seen

application = Flask(__name__, static_folder=None)


def route(path, handler, methods=seen.METHODS):
    """`handler` is its name, or finds it in what stands in the path."""
    def run(**parts):
        name = handler if isinstance(handler, str) else handler(**parts)
        query = request.query_string.decode("latin-1")
        return jsonify(seen.seen(name, request.method, request.path, request.host, query, request.headers.get))
    application.add_url_rule(path, f"{path} {methods}", run, methods=methods, provide_automatic_options=False)


def site():
    return seen.site(request.host.split(":")[0])


route("/items/<id>", "read-item", ["GET"])
route("/items/<id>", "delete-item", ["DELETE"])
route("/items/<id>", "item", ["POST", "PUT", "PATCH", "OPTIONS"])
route("/tenant/<path:rest>", lambda rest: seen.tenant(request.headers.get("X-Tenant")))
route("/jobs/<id>:delete", "purge")
route("/jobs/<id>", "job")
route("/static/<path:name>", seen.static)
route("/x/<path:rest>", seen.below_x)
route("/p|q", "pipe")
route("/public/<path:rest>", "public")
route("/admin", "admin")
route("/admin/<path:rest>", "admin")
route("/site", site)
route("/", "rest")
route("/<path:rest>", "rest")


class Overrides:
    """As commonly written: what headers say takes the place of what the request line says."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        for name in seen.OVERRIDES:
            method = environ.get("HTTP_" + name.upper().replace("-", "_"), "").upper()
            if method in seen.METHODS:
                environ["REQUEST_METHOD"] = method
        for name in ["HTTP_X_ORIGINAL_URL", "HTTP_X_REWRITE_URL"]:
            environ["PATH_INFO"] = environ.get(name, environ["PATH_INFO"]).split("?")[0]
        return self.app(environ, start_response)


app = Overrides(ProxyFix(application, x_for=0, x_proto=0, x_host=1))
