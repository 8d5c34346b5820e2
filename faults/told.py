"""The log of what clients were told: one line of JSON each, on disk before the client goes on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Log:
    """A file that one client appends to. The database is not asked; what it says is held against this.

    `durable`: on disk line by line; not needed where nothing is killed, and then it would take the disk from the portal.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file, self.durable = path.open("ab", buffering=0), durable

    def write(self, what: str, act: Line, **more: Any) -> None:
        """`what`: asked, told, refused, or failed (an answer that a client must never get)."""
        self.file.write(json.dumps({"what": what, "act": act, **more}, default=str).encode() + b"\n")
        if self.durable:
            os.fsync(self.file.fileno())


def read(folder: Path) -> list[Line]:
    """The lines of all clients; a last line cut off by a kill was not told to anybody."""
    return [line for path in sorted(folder.glob("*.log")) for line in _lines(path)]


def _lines(path: Path) -> Iterator[Line]:
    for text in path.read_bytes().split(b"\n")[:-1]:
        yield json.loads(text)
