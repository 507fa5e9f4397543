"""Django: the decoded path, the method in capitals, a host without its trailing dot."""

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.http.request import split_domain_port
from django.urls import re_path

import seen


def answer(request, name):
    path, query = request.path_info, request.META.get("QUERY_STRING", "")
    return JsonResponse(seen.seen(name, request.method, path, request.get_host(), query, request.headers.get))


def route(pattern, handler):
    """`handler` is its name, or finds it in the request and what stands in the path."""
    def run(request, **parts):
        return answer(request, handler if isinstance(handler, str) else handler(request, **parts))
    return re_path(pattern, run)


def item(request, **_):
    """What `View.dispatch` of a class-based view does."""
    return {"get": "read-item", "delete": "delete-item"}.get(request.method.lower(), "item")


def overrides(get_response):
    """As commonly written: what headers say takes the place of what the request line says."""
    def run(request):
        for name in seen.OVERRIDES:
            if name in request.headers:
                request.method = request.headers[name].upper()
        for name in ["X-Original-URL", "X-Rewrite-URL"]:
            if name in request.headers:
                request.path_info = request.path = request.headers[name].split("?")[0]
        return get_response(request)
    return run


urlpatterns = [
    route(r"^items/(?P<id>[^/]+)$", item),
    route(r"^tenant/.*$", lambda request: seen.tenant(request.headers.get("X-Tenant"))),
    route(r"^jobs/[^/]+:delete$", "purge"),
    route(r"^jobs/[^/]+$", "job"),
    route(r"^static/(?P<name>.*)$", lambda _, name: seen.static(name)),
    route(r"^x/(?P<rest>.*)$", lambda _, rest: seen.below_x(rest)),
    route(r"^p\|q$", "pipe"),
    route(r"^public/.*$", "public"),
    route(r"^admin(?:/.*)?$", "admin"),
    route(r"^site$", lambda request: seen.site(split_domain_port(request.get_host())[0])),
    route(r"^.*$", "rest"),
]

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["on_django.overrides"],
    ROOT_URLCONF="on_django",
    SECRET_KEY="for tests",
    USE_X_FORWARDED_HOST=True,
)
django.setup()
app = get_wsgi_application()
asgi = get_asgi_application()
