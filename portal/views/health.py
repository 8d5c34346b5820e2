"""Whether the portal can work: asked by the load balancer, and by nobody with a login."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """One line a service, plain text: 200 when both answer, 503 otherwise. Says nothing of what is in them."""
    states = {"database": _database(), "redis": _redis()}
    lines = "".join(f"{name} {'ok' if works else 'down'}\n" for name, works in states.items())
    return HttpResponse(lines, content_type="text/plain", status=200 if all(states.values()) else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        cache.get("healthz")
    except (RedisError, OSError):
        return False
    return True
