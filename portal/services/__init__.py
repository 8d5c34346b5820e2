"""The house services: a PostgreSQL and a Redis of this project folder alone, where nobody points us at real ones.

Settings ask here for addresses; asking starts nothing. manage.py, the demo and the tests hold the services while they
work (`hold`); the last one out stops them.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from .errors import ServiceError
from .hold import hold, needed_by
from .places import HOUSE
from .postgres import Postgres
from .redis import Redis

__all__ = [
    "ServiceError",
    "broker_url",
    "database_settings",
    "database_url",
    "hold",
    "needed_by",
    "redis_url",
]


def database_url() -> str:
    """DATABASE_URL, else the address of the embedded cluster (which this call does not start)."""
    return os.environ.get("DATABASE_URL") or Postgres(HOUSE).url()


def database_settings(url: str | None = None) -> dict[str, object]:
    """Django's DATABASES["default"] for a postgresql:// address; `host=` in its query is a socket folder, the rest of
    the query becomes OPTIONS."""
    parts = urlsplit(url or database_url())
    if parts.scheme not in ("postgres", "postgresql"):
        raise ServiceError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://")
    options = dict(parse_qsl(parts.query))
    host, port = options.pop("host", ""), options.pop("port", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or host,
        "PORT": str(parts.port or port),
        # The statements of a bill are few and always the same: planned once a connection, not once a bill.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5, **options},
    }


def redis_url(db: int | None = None) -> str:
    """REDIS_URL, else the embedded one, as redis-py and Django's cache read it; `db` chooses a numbered database."""
    url = os.environ.get("REDIS_URL") or Redis(HOUSE).url()
    if db is None:
        return url
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={db}"  # urlunsplit would lose the //
    return urlunsplit(parts._replace(path=f"/{db}"))


def broker_url(db: int | None = None) -> str:
    """The same Redis as Celery writes it: a socket is redis+socket://, with the database as virtual host.

    Over TLS Celery asks for no certificate unless it is told to (redis-py, which the cache uses, always does).
    """
    parts = urlsplit(redis_url(db))
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, "ssl_cert_reqs=required"]))))
    if parts.scheme != "unix":
        return urlunsplit(parts)
    number = dict(parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"
