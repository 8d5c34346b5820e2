"""How a message gets there: over a kept connection, as programs keep one; tests have a carrier of their own."""

import http.client
import select
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

TIMEOUT = 60.0
# A program that asks whether it may go on waits for a moment and then goes on.
EXPECTED_WITHIN = 5.0


class Reply(NamedTuple):
    """What came back. `asked`: the server said "100 Continue" before it had the body; None where nobody asked."""

    status: int
    content_type: str
    body: bytes
    asked: bool | None = None


class Carrier(Protocol):
    """The way to a gateway."""

    def post(self, path: str, body: bytes, headers: dict[str, str], *, expect: bool = False) -> Reply:
        """Send one message and wait for the answer; `expect`: with "Expect: 100-continue", as .NET does."""


class Http:
    """One connection that is kept. `opened` counts how often it had to be made."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=TIMEOUT)
        self.opened = 0

    def post(self, path: str, body: bytes, headers: dict[str, str], *, expect: bool = False) -> Reply:
        """As `Carrier` says. Raises OSError and HTTPException: a broken line is a finding."""
        self._open()
        if not expect:
            self.connection.request("POST", path, body, headers)
            return self._reply(None)
        self.connection.putrequest("POST", path)
        for name, value in (headers | {"Content-Length": str(len(body)), "Expect": "100-continue"}).items():
            self.connection.putheader(name, value)
        self.connection.endheaders()
        asked = bool(select.select([self.connection.sock], [], [], EXPECTED_WITHIN)[0])
        self.connection.send(body)
        return self._reply(asked)

    def post_in_chunks(self, path: str, body: bytes, headers: dict[str, str], size: int = 1000) -> Reply:
        """Without saying how long the body is: .NET with a stream."""
        self._open()
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        self.connection.request("POST", path, pieces, headers, encode_chunked=True)
        return self._reply(None)

    def _open(self) -> None:
        if self.connection.sock is None:
            self.connection.connect()
            self.opened += 1

    def _reply(self, asked: bool | None) -> Reply:
        try:
            response = self.connection.getresponse()
            return Reply(response.status, response.getheader("Content-Type", ""), response.read(), asked)
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def close(self) -> None:
        """Give the connection back."""
        self.connection.close()
