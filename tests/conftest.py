"""The suite runs on the real PostgreSQL and Redis of the project folder, or on those DATABASE_URL and REDIS_URL name.

Every run has databases of its own (test_portal_<slot>, with a suffix for each xdist worker), so two runs in one folder
do not meet; the slot is free again when the run ends, however it ends.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from django.utils import translation
from django.utils.translation.reloader import translation_file_changed
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from portal import services
from portal.celery import app
from portal.services import translations
from portal.services.places import HOUSE

# How fast the machine is decides no test: neither how long an example takes nor how long it takes to think of one.
hypothesis_settings.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("portal")

# Fixtures for every test: `people`, `world`, `clients`.
pytest_plugins = ["tests.people", "tests.world"]

SLOT = "PORTAL_TEST_SLOT"
MIGRATED = [("casework", "0003_holidays_2026"), ("family", "0003_first_commitment")]


def pytest_configure(config: pytest.Config) -> None:
    stack = contextlib.ExitStack()
    config.add_cleanup(stack.close)
    try:
        stack.enter_context(services.hold())
    except services.ServiceError as error:
        raise pytest.UsageError(str(error)) from error
    if not hasattr(config, "workerinput"):
        # On a fresh checkout nobody has called manage.py yet, which does this otherwise.
        for catalogue in translations.compile_stale():
            translation_file_changed(None, catalogue.with_suffix(".mo"))
        os.environ[SLOT] = str(_claim_slot(stack))
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # WhiteNoise warns at each start if it is missing
    slot = int(os.environ[SLOT])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    connections["default"].settings_dict["TEST"]["NAME"] = f"test_portal_{slot}"
    number = slot * 8 + worker + 2
    database = number % 256 if not os.environ.get("REDIS_URL") else number % 16
    settings.CACHES["default"]["LOCATION"] = services.redis_url(db=database)
    app.conf.broker_url = settings.CELERY_BROKER_URL = services.broker_url(db=database)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups of xdist: it writes them where pytest 9.2 no longer reads a test's name (pytest-xdist issue 1386), so that
    browsers and demos would run beside each other and wait for each other."""
    for item in items:
        if "_nodeid" in vars(item):
            item._id = type(item.id).parse(item._nodeid)


def _claim_slot(stack: contextlib.ExitStack) -> int:
    """The smallest number that no other run holds; the kernel frees it when this process ends."""
    HOUSE.prepare()
    for slot in count():
        lock = stack.enter_context((HOUSE.locks / f"test-{slot}.lock").open("w"))
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return slot
    raise AssertionError("count() does not end")


@pytest.fixture(autouse=True)
def _language_of_the_last_request() -> Iterator[None]:
    """A request leaves its language in the thread; the next test would read in it, by the order of the day."""
    yield
    translation.deactivate()


@pytest.fixture
def english(client: Client) -> Client:
    """A browser that reads English: what a test then reads is the text of the code."""
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture(scope="session", autouse=True)
def _emptying_of_append_only_tables() -> Iterator[None]:
    """Tests on committed data end with TRUNCATE, which the append-only triggers refuse: off for that one transaction.

    What migrations put into the tables is put in again.
    """
    execute = DatabaseOperations.execute_sql_flush

    def execute_sql_flush(self: DatabaseOperations, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only'")
            tables = [table for (table,) in cursor.fetchall()]
        off = [f"ALTER TABLE {table} DISABLE TRIGGER append_only;" for table in tables]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER append_only;" for table in tables]
        execute(self, [*off, *sql_list, *on])
        # What migrations put in is everybody's: which tests come later on this worker is chance.
        for label, migration in MIGRATED:
            import_module(f"{label}.migrations.{migration}").add(apps, None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture
def service_environment(db: None) -> dict[str, str]:
    """The environment for a process that is to work on this test's database and Redis (its data must be committed)."""
    database = connections["default"].settings_dict
    host, port = database["HOST"], database["PORT"]
    login = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    place = f"{login}@/{database['NAME']}?host={host}&port={port}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        "DATABASE_URL": f"postgresql://{place}",
        "REDIS_URL": settings.CACHES["default"]["LOCATION"],
    }
