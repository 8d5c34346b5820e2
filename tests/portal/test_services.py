"""The embedded PostgreSQL and Redis: they keep data through crashes, let nobody else in, and leave nothing running."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from portal import services
from portal.services import ServiceError, hold, needed_by
from portal.services.places import House
from portal.services.postgres import Postgres
from portal.services.redis import Redis, find_server

PROJECT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from portal.services import hold
from portal.services.places import House
with hold(House(Path(sys.argv[1]))):
    print("in", flush=True)
    time.sleep(60)
"""

# Seconds: beside the rest of the suite a server may take long to write down its last page.
PATIENCE = 120


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A project folder of its own, where everybody may walk, as a checkout usually lies."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    project = Path(tempfile.mkdtemp(prefix="house-"))
    project.chmod(0o755)
    house = House(project / "var")
    yield house
    Postgres(house).stop()
    Redis(house).stop()
    for folder in (Postgres(house).home, project, house.sockets):
        shutil.rmtree(folder, ignore_errors=True)


def write(house: House, value: int) -> None:
    with Postgres(house).connect("portal", "portal") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def read(house: House) -> list[int]:
    with Postgres(house).connect("portal", "portal") as connection:
        return [value for (value,) in connection.execute("SELECT value FROM kept ORDER BY value")]


def start_holder(house: House) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER, str(house.var)]
    holder = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "in\n"
    return holder


def test_data_outlives_a_killed_postmaster_and_a_stop(house: House) -> None:
    server = Postgres(house)
    with hold(house):
        write(house, 1)
        server.kill()
        server.start()
        write(house, 2)
    assert not server.answers()
    with hold(house):
        assert read(house) == [1, 2]


def test_it_is_postgresql_18_with_checksums_and_one_way_in(house: House) -> None:
    with hold(house), Postgres(house).connect("portal", "portal") as connection:
        assert connection.info.server_version // 10000 == 18
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    with hold(house), Postgres(house).connect() as connection:
        rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("local", "peer")]


def test_neither_server_listens_on_the_network(house: House) -> None:
    with hold(house):
        mine = [
            process
            for process in psutil.process_iter(["name", "cmdline"])
            if str(house.sockets) in " ".join(process.info["cmdline"] or [])
        ]
        assert {process.info["name"] for process in mine} == {"postgres", "redis-server"}
        assert [found for process in mine for found in process.net_connections(kind="inet")] == []


def test_a_stranger_on_the_machine_cannot_reach_the_sockets(house: House) -> None:
    with hold(house):
        assert Postgres(house).sockets.stat().st_mode & 0o077 == 0
        assert Redis(house).socket.stat().st_mode & 0o077 == 0


def test_a_first_start_that_was_killed_does_not_spoil_the_next(house: House) -> None:
    half = Postgres(house).home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with hold(house):
        assert Postgres(house).answers()


def test_a_stale_pid_that_now_belongs_to_another_process_does_not_stop_the_start(house: House) -> None:
    with hold(house):
        pass
    (Postgres(house).data / "postmaster.pid").write_text(f"{os.getpid()}\n{Postgres(house).data}\n")
    with hold(house):
        assert Postgres(house).answers()


def test_the_last_one_out_stops_both(house: House) -> None:
    with hold(house):
        with hold(house):
            write(house, 1)
        assert read(house) == [1]
        assert Redis(house).answers()
    assert not Postgres(house).answers()
    assert not Redis(house).answers()


def test_a_second_command_goes_on_when_the_first_is_terminated(house: House) -> None:
    first, second = start_holder(house), start_holder(house)
    first.terminate()
    assert first.wait(PATIENCE) == 128 + signal.SIGTERM
    assert Postgres(house).answers()
    second.send_signal(signal.SIGINT)
    second.wait(PATIENCE)
    assert not Postgres(house).answers()
    assert not Redis(house).answers()


def test_what_a_killed_command_left_running_is_stopped_by_the_next(house: House) -> None:
    holder = start_holder(house)
    holder.kill()
    holder.wait(30)
    assert Postgres(house).answers()
    with hold(house):
        assert Redis(house).answers()
    assert not Postgres(house).answers()


def test_root_needs_no_parent_folder_opened(house: House) -> None:
    """Root's server runs as another user; where that one may not walk, the data lies elsewhere. Others stay."""
    project = house.var.parent
    project.chmod(0o700)
    server = Postgres(house)
    assert (server.home == house.var) is (os.getuid() != 0)
    with hold(house):
        assert server.answers()
    assert project.stat().st_mode & 0o777 == 0o700


def test_data_of_another_version_is_refused_with_what_to_do(house: House) -> None:
    data = Postgres(house).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServiceError, match="move it away"), hold(house):
        pass


def test_a_folder_of_somebody_else_in_tmp_is_not_used(house: House) -> None:
    elsewhere = house.var.parent / "elsewhere"
    elsewhere.mkdir()
    house.sockets.symlink_to(elsewhere)
    try:
        with pytest.raises((ServiceError, FileExistsError)), hold(house):
            pass
        assert list(elsewhere.iterdir()) == []
    finally:
        house.sockets.unlink()


def test_external_services_are_used_and_nothing_is_started(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db.example/portal")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example:6380/4")
    with hold(house):
        assert not house.var.exists()
    assert services.database_url() == "postgresql://me@db.example/portal"
    assert services.redis_url() == services.broker_url() == "redis://redis.example:6380/4"
    assert services.redis_url(db=1) == "redis://redis.example:6380/1"


def test_without_any_redis_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ServiceError, match="install redis-server") as raised:
        find_server()
    assert "\n" not in str(raised.value)


def test_a_socket_address_in_the_three_ways_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///run/redis.sock?db=0")
    assert services.redis_url(db=3) == "unix:///run/redis.sock?db=3"
    assert services.broker_url(db=3) == "redis+socket:///run/redis.sock?virtual_host=3"
    assert services.broker_url() == "redis+socket:///run/redis.sock?virtual_host=0"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@h:5433/d?sslmode=require", ("h", "5433", "u", "p@ss", "d", {"sslmode": "require"})),
        ("postgres://portal@/portal?host=/tmp/x&port=5432", ("/tmp/x", "5432", "portal", "", "portal", {})),
    ],
)
def test_an_address_becomes_django_settings(url: str, expected: tuple[object, ...]) -> None:
    got = services.database_settings(url)
    prepared = {"server_side_binding": True, "prepare_threshold": 5}
    *address, options = expected
    expected = (*address, prepared | options)
    assert tuple(got[key] for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME", "OPTIONS")) == expected


def test_an_address_of_another_database_system_is_refused() -> None:
    with pytest.raises(ServiceError, match="postgresql://"):
        services.database_settings("mysql://me@host/portal")


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["migrate"], True),
        (["check"], False),
        (["check", "--database", "default"], True),
        (["seed", "--help"], False),
        ([], False),
    ],
)
def test_which_commands_get_services(arguments: list[str], needed: bool) -> None:
    assert needed_by(arguments) is needed


def test_a_cluster_that_cannot_start_says_why_at_once(house: House) -> None:
    with hold(house):
        pass
    with (Postgres(house).data / "postgresql.conf").open("a") as file:
        file.write("max_connections = many\n")
        file.write("wal_level = nonsense\n")
    begun = time.monotonic()
    with pytest.raises(ServiceError, match="wal_level"), hold(house):
        pass
    assert time.monotonic() - begun < 30
    with pytest.raises(psycopg.OperationalError):
        Postgres(house).connect()
