"""Clients of the gateway that cost next to nothing, for they share the cores with what is measured.

pgbench's client is written in C. So that Python's is not what is measured, calls are made into bytes and signed before the
time begins (a signature holds for five minutes), go over one kept connection without a library, and of an answer only the
beginning is looked at. A single failure ends the run: a number with failures in it is no measurement.
"""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from gateway.client import PATH, envelope, signed_headers

DONE, BUSY = b'{"infcode":0,', b"[busy]"
PIECE = 1 << 16


class Caller:
    """One institution on one connection. Not for several threads at once."""

    def __init__(self, address: str, institution_code: str, key_id: str, secret: str) -> None:
        parts = urlsplit(address)
        self.institution_code, self.key_id, self.secret = institution_code, key_id, secret
        self.start = f"POST {PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self.line = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def made(self, infno: str, given: Any) -> bytes:
        """A call, signed now."""
        body = json.dumps(envelope(infno, given, self.institution_code), ensure_ascii=False).encode()
        signed = signed_headers(self.key_id, self.secret) | {"Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        return f"{self.start}{lines}\r\n".encode() + body

    def served(self, call: bytes) -> bytes:
        """The body of the answer to a call that did what it should.

        A portal that has let the call wait too long did nothing, and is asked again with the same bytes. Raises
        RuntimeError for every other failure.
        """
        while not (answer := self._answer(call)).startswith(DONE):
            if BUSY not in answer:
                raise RuntimeError(answer.decode())
        return answer

    def _answer(self, call: bytes) -> bytes:
        self.line.sendall(call)
        found = self._more(b"")
        while b"\r\n\r\n" not in found:
            found = self._more(found)
        head, _, body = found.partition(b"\r\n\r\n")
        length = _length(head)
        while len(body) < length:
            body = self._more(body)
        return body

    def _more(self, so_far: bytes) -> bytes:
        piece = self.line.recv(PIECE)
        if not piece:
            raise RuntimeError("the server closed the connection")
        return so_far + piece

    def close(self) -> None:
        """Give the connection back."""
        self.line.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError(f"no length: {head!r}")
