"""The settings of production (S2, W12)."""

import json
import ssl
from types import SimpleNamespace

import pytest
from kombu import Connection

from portal import services
from portal.checks import servers_elsewhere_are_reached_by_tls
from tests.support.production import in_production

COOKIES = """
import json, django
django.setup()
from django.conf import settings
names = ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "DOMAIN", "PATH")
print(json.dumps([[getattr(settings, f"{kind}_COOKIE_{name}") for name in names] for kind in ("SESSION", "CSRF")]))
"""


def test_cookies_are_kept_to_this_host_and_from_scripts() -> None:
    done = in_production("-c", COOKIES)
    assert json.loads(done.stdout) == [
        ["__Host-session", True, True, "Lax", None, "/"],
        ["__Host-csrf", True, True, "Lax", None, "/"],
    ], done.stderr


def test_the_check_before_an_upgrade_is_content_and_is_not_without_tls() -> None:
    ask = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (done := in_production(*ask)).returncode == 0, done.stderr
    told = in_production(*ask, REDIS_URL="redis://redis.example/0", DATABASE_URL="postgresql://x@db.example/x")
    assert told.returncode == 1 and "portal.W001" in told.stderr and "portal.W002" in told.stderr


@pytest.mark.parametrize(
    ("host", "sslmode", "redis", "told"),
    [
        ("db.example", "verify-full", "rediss://redis.example/0", []),
        ("/run/postgresql", None, "redis+socket:///run/redis.sock", []),
        ("127.0.0.1", None, "redis://localhost:6379/0", []),
        ("db.example", "require", "rediss://redis.example/0", ["portal.W001"]),
        ("db.example", None, "redis://redis.example/0", ["portal.W001", "portal.W002"]),
    ],
)
def test_a_line_to_another_machine_without_tls_is_told(
    monkeypatch: pytest.MonkeyPatch, host: str, sslmode: str | None, redis: str, told: list[str]
) -> None:
    production = SimpleNamespace(
        DATABASES={"default": {"HOST": host, "OPTIONS": {"sslmode": sslmode} if sslmode else {}}},
        CELERY_BROKER_URL=redis,
        CACHES={"default": {"LOCATION": redis}},
    )
    monkeypatch.setattr("portal.checks.settings", production)
    assert [found.id for found in servers_elsewhere_are_reached_by_tls(None)] == told


def test_celery_checks_the_certificate_of_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to itself it takes any."""
    monkeypatch.setenv("REDIS_URL", "rediss://:secret@redis.example:6379/0?ssl_ca_certs=/etc/ca.pem")
    line = Connection(services.broker_url())
    assert line.ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": "/etc/ca.pem"}
    monkeypatch.setenv("REDIS_URL", "rediss://redis.example/0")
    assert Connection(services.broker_url()).ssl == {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert Connection("rediss://redis.example/0").ssl == {"ssl_cert_reqs": ssl.CERT_NONE}, "as it was"
