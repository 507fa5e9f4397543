"""What every application here answers: which of its handlers ran, and what the framework made of the request."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]


def seen(handler, method, path, host, query, header):
    """`header` gives a header's value as the framework does."""
    return {
        "handler": handler,
        "method": method,
        "path": path,
        "host": host,
        "query": query,
        "tenant": header("X-Tenant"),
        "rule": header("X-Rule"),
        "route": header("X-Route"),
        "raw": header("X-Raw-Path"),
    }


def tenant(value):
    return "acme" if value == "acme" else "tenant"


def static(name):
    """A folder of style sheets and secrets."""
    return "style" if name.endswith(".css") else "secret"


def below_x(rest):
    return "braces" if rest.startswith("{admin}/") else "x"


def site(host):
    """How applications that serve several hosts tell them apart."""
    return {"api.example.com": "api-site", "public.example.com": "public-site"}.get(host, "other-site")
