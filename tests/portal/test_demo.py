"""`make demo` from an empty database to the printed logins, and the way back to nothing running."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import connections
from psycopg import sql

from portal.demo import logins
from portal.services.places import House
from portal.services.redis import Redis

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """Not the tests' one: a demo that runs here meanwhile has its queue and its cache there."""
    house = House(tmp_path / "var")
    house.prepare()
    house.make_sockets()
    server = Redis(house)
    server.start()
    yield server
    server.stop()
    house.remove_sockets()


@pytest.fixture
def empty_place(own_redis: Redis) -> Iterator[dict[str, str]]:
    """The environment of a demo with a database of its own on the server of the tests."""
    mine = connections["default"].settings_dict
    name = f"{mine['TEST']['NAME']}_demo"
    place = {"host": mine["HOST"], "port": mine["PORT"], "user": mine["USER"], "password": mine["PASSWORD"]}
    given = {key: value for key, value in place.items() if value}
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(dbname="postgres", autocommit=True, **given) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        query = "&".join(f"{key}={value}" for key, value in given.items())
        without = {key: value for key, value in os.environ.items() if key not in ("PORT", "HOST")}
        yield without | {
            "DJANGO_SETTINGS_MODULE": "portal.settings.demo",
            "DATABASE_URL": f"postgresql:///{name}?{query}",
            "REDIS_URL": own_redis.url(),
        }
        connection.execute(drop)


def demo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "demo", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.xdist_group("demo")
def test_the_demo_comes_up_tells_its_logins_and_goes_again(empty_place: dict[str, str]) -> None:
    first = demo(empty_place, "--once", "--members", "20")
    assert first.returncode == 0, first.stdout + first.stderr
    address = re.search(r"The portal is at http://localhost:(\d+)/", first.stdout)
    assert address
    assert [login for _role, login, _password, _note in logins() if login not in first.stdout] == []
    assert not [found for found in psutil.net_connections("tcp") if found.laddr and found.laddr[1] == int(address[1])
                and found.status == psutil.CONN_LISTEN]  # fmt: skip


@pytest.mark.xdist_group("demo")
def test_a_named_database_is_emptied_only_when_that_is_said_twice(empty_place: dict[str, str]) -> None:
    refused = demo(empty_place, "--once", "--fresh")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr


@pytest.mark.xdist_group("demo")
def test_an_unusable_port_is_told_before_anything_is_done(empty_place: dict[str, str]) -> None:
    refused = demo(empty_place | {"PORT": "eighty"}, "--once")
    assert refused.returncode == 1
    assert "PORT must be a number" in refused.stderr
