"""What `manage.py check --deploy` asks of a production beside Django's own questions."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

HERE = {"", "localhost", "127.0.0.1", "::1"}


@register(Tags.security, deploy=True)
def servers_elsewhere_are_reached_by_tls(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """ID numbers go over every one of these lines. A socket or this machine itself needs none."""
    found: list[CheckMessage] = []
    database = settings.DATABASES["default"]
    host = str(database["HOST"])
    if host not in HERE and not host.startswith("/") and database["OPTIONS"].get("sslmode") != "verify-full":
        found.append(
            Warning(
                "The database is on another machine, and nothing makes sure that it is the right one.",
                hint="End DATABASE_URL with ?sslmode=verify-full&sslrootcert=FILE.",
                id="portal.W001",
            )
        )
    for url in (settings.CELERY_BROKER_URL, settings.CACHES["default"]["LOCATION"]):
        parts = urlsplit(url)
        if parts.scheme == "redis" and (parts.hostname or "") not in HERE:
            found.append(
                Warning(
                    "Redis is on another machine, and its line is not encrypted.",
                    hint="Begin REDIS_URL with rediss://.",
                    id="portal.W002",
                )
            )
            break
    return found
