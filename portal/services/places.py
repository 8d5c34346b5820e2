"""Where the services keep their things."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import ServiceError


@dataclass(frozen=True)
class House:
    """One project folder: what it keeps lies in `var`, its sockets in a short folder of their own."""

    var: Path

    @property
    def key(self) -> str:
        return hashlib.sha256(str(self.var).encode()).hexdigest()[:12]

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def locks(self) -> Path:
        return self.var / "run"

    @property
    def sockets(self) -> Path:
        """A socket's path may have 107 bytes, a project's path any length: so a short one in /tmp, always the same."""
        temp = Path("/tmp")  # not gettempdir(): two commands with different TMPDIR must meet
        if not os.access(temp, os.W_OK | os.X_OK):
            temp = Path(tempfile.gettempdir())
        return temp / f"portal-{self.key}"

    def prepare(self) -> None:
        for folder in (self.var, self.logs, self.locks):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)

    def make_sockets(self) -> None:
        """In /tmp anybody may have made the folder before us and would then own our sockets: only ours is used."""
        self.sockets.mkdir(mode=0o711, exist_ok=True)
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise ServiceError(
                f"{self.sockets} belongs to another user: run the command as that user, or remove that folder."
            )
        self.sockets.chmod(0o711)

    def remove_sockets(self) -> None:
        """Left alone while a socket is in it: the other service may be in use."""
        for folder in (self.sockets / "pg", self.sockets):
            with contextlib.suppress(OSError):
                folder.rmdir()


HOUSE = House(Path(__file__).resolve().parents[2] / "var")
