"""F2: the answer is lost, though the database has committed; the client asks again with the same key."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from django.db import connections

from faults import checker, clients, places, told, world
from faults.outcome import Outcome

CLIENTS, SECONDS = 4, 10.0
BEFORE, AFTER = 0.1, 0.3


class Proxy:
    """Stands between clients and server, on a socket of its own; at some COMMITs it hangs up before or after them."""

    def __init__(self, folder: Path, server: Path, seed: int = 7) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.server, self.chance = server, random.Random(seed)
        self.before = self.after = 0
        self.door = socket.socket(socket.AF_UNIX)
        path = folder / ".s.PGSQL.5432"
        path.unlink(missing_ok=True)
        self.door.bind(str(path))
        self.door.listen(32)
        threading.Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.door.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(str(self.server))
                threading.Thread(target=self._questions, args=(near, far), daemon=True).start()

    def _questions(self, near: socket.socket, far: socket.socket) -> None:
        """From the client to the server, until a COMMIT at which the dice say to hang up."""
        deaf, answered = threading.Event(), threading.Event()
        threading.Thread(target=_answers, args=(far, near, deaf, answered), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                dice = self.chance.random() if b"COMMIT" in data else 1.0
                if dice < BEFORE:
                    self.before += 1
                    break
                if dice < BEFORE + AFTER:
                    self.after += 1
                    deaf.set()
                    far.sendall(data)
                    # The answer is waited for and thrown away: the commit has happened.
                    answered.wait(5)
                    break
                far.sendall(data)
        _hang_up(near, far)

    def close(self) -> None:
        """No new clients."""
        self.door.close()


def _answers(far: socket.socket, near: socket.socket, deaf: threading.Event, answered: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while data := far.recv(65536):
            if deaf.is_set():
                answered.set()
            else:
                near.sendall(data)
    _hang_up(near, far)


def _hang_up(*both: socket.socket) -> None:
    for one in both:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextlib.contextmanager
def proxy() -> Iterator[tuple[Proxy, Path]]:
    """The proxy and the folder of its socket."""
    folder = places.house.sockets / "cut"
    between = Proxy(folder, places.postgres().sockets / ".s.PGSQL.5432")
    try:
        yield between, folder
    finally:
        between.close()


def answers_lost() -> Outcome:
    """Nobody pays twice for a bill whose answer was lost, and nobody is told of a bill that is not there."""
    places.fresh()
    people = [one for family in world.families(6) for one in family]
    hospital = world.institution()
    folder = places.scratch("cut")
    days = [world.BOUNDARY - 20 * world.DAY, world.BOUNDARY - world.DAY]
    with proxy() as (between, socket_folder):

        def prepare(number: int) -> None:
            connections["default"].settings_dict["HOST"] = str(socket_folder)

        counts = clients.send(CLIENTS, folder, clients.Plan(people, hospital.pk, days, SECONDS), prepare).wait()
    outcome = Outcome(
        f"{between.after} answers lost after the commit, {between.before} connections lost before it,"
        f" {counts['answers']} answers, {counts['retries']} retries",
        checker.check(told.read(folder), days[-1] + 120 * world.DAY),
    )
    outcome.require("a client died", counts["dead"] == 0)
    outcome.require("no answer was lost", between.after > 10 and between.before > 0)
    outcome.require("nobody asked again", counts["retries"] >= between.after)
    return outcome
