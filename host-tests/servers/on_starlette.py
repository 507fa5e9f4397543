"""Starlette: the first of several lines of a header, the decoded path, `Host` without its port."""

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Host, Route, Router

import seen


def route(path, handler, methods=seen.METHODS):
    """`handler` is its name, or finds it in the request."""
    async def run(request):
        name = handler if isinstance(handler, str) else handler(request)
        header = request.headers.get
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        return JSONResponse(seen.seen(name, request.method, path, header("host"), query, header))
    return Route(path, run, methods=methods)


class Overrides:
    """As commonly written: what headers say takes the place of what the request line says."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            lines = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
            scope = dict(scope)
            for name in seen.OVERRIDES:
                if name.lower() in lines:
                    scope["method"] = lines[name.lower()].upper()
            for name in ["x-original-url", "x-rewrite-url"]:
                scope["path"] = lines.get(name, scope["path"]).split("?")[0]
            if "x-forwarded-host" in lines:
                others = [line for line in scope["headers"] if line[0] != b"host"]
                scope["headers"] = [(b"host", lines["x-forwarded-host"].encode("latin-1")), *others]
        await self.app(scope, receive, send)


app = Overrides(Starlette(routes=[
    route("/items/{id}", "read-item", ["GET"]),
    route("/items/{id}", "delete-item", ["DELETE"]),
    route("/items/{id}", "item", ["POST", "PUT", "PATCH", "OPTIONS"]),
    route("/tenant/{rest:path}", lambda request: seen.tenant(request.headers.get("x-tenant"))),
    route("/jobs/{id}:delete", "purge"),
    route("/jobs/{id}", "job"),
    route("/static/{name:path}", lambda request: seen.static(request.path_params["name"])),
    route("/x/{rest:path}", lambda request: seen.below_x(request.path_params["rest"])),
    route("/p|q", "pipe"),
    route("/public/{rest:path}", "public"),
    route("/admin", "admin"),
    route("/admin/{rest:path}", "admin"),
    Host("api.example.com", Router([route("/site", "api-site")])),
    Host("public.example.com", Router([route("/site", "public-site")])),
    route("/site", "other-site"),
    route("/{rest:path}", "rest"),
]))
