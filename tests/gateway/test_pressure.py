"""Too many calls: who has waited too long is told so before the portal is asked; the rest of the site never is."""

import io
import json
import logging
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import pressure
from gateway.client import PATH


class Waited:
    """A connection of gunicorn on which nothing came in for so many milliseconds."""

    family = socket.AF_INET

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def getsockopt(self, level: int, name: int, size: int) -> bytes:
        return bytes(pressure.LAST_DATA_RECEIVED) + struct.pack("=I", self.milliseconds)


def ask(environ: dict) -> tuple[list, bytes]:
    said: list = []

    def portal(environ, start_response):
        start_response("200 OK", [])
        return [b"portal"]

    given = {"PATH_INFO": PATH, "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"{...}"), **environ}
    answer = b"".join(pressure.Relieved(portal)(given, lambda *status: said.append(status)))
    assert given["wsgi.input"].tell() == (0 if answer == b"portal" else 5)
    return said, answer


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="no gunicorn"),
        pytest.param({"gunicorn.socket": Waited(0)}, id="at once"),
        pytest.param({"gunicorn.socket": Waited(10**6), "PATH_INFO": "/account/"}, id="a page"),
    ],
)
def test_whoever_has_not_waited_reaches_the_portal(environ: dict) -> None:
    assert ask(environ)[1] == b"portal"


def test_whoever_has_waited_too_long_is_told_in_the_envelope(settings, caplog) -> None:
    caplog.set_level(logging.WARNING)
    said, answer = ask({"gunicorn.socket": Waited(settings.GATEWAY_PATIENCE_MS + 1)})
    assert said[0][0] == "200 OK"
    envelope = json.loads(answer)
    assert envelope["infcode"] == -1
    assert envelope["err_msg"].startswith("FSI-")
    assert envelope["err_msg"].endswith("[busy]")
    assert ("Content-Length", str(len(answer))) in said[0][1]
    assert "turned away" in caplog.text


def test_who_has_few_behind_him_has_waited_for_no_queue() -> None:
    """A machine that is busy with something else lets a lone call wait, too; nobody is spared by sending it away."""
    late = {"gunicorn.socket": Waited(10**6)}
    with ThreadPoolExecutor(max_workers=1) as pool:
        # A pool enters a thread into its list when it has begun already.
        pool.submit(int).result()
        assert pool.submit(ask, late).result()[1] == b"portal"
        release = threading.Event()
        pool.submit(release.wait)
        asked = [pool.submit(ask, late) for _ in range(pressure.FEW + 3)]
        release.set()
        served = [future.result()[1] == b"portal" for future in asked]
    # The first two have more than FEW behind them, the others have not.
    assert served == [False] * 2 + [True] * (pressure.FEW + 1)


def test_patience_follows_what_calls_take(settings, monkeypatch) -> None:
    """Where calls take fifty milliseconds a wait of fifty is nothing; one call that takes a minute says nothing."""
    clock = [0.0]
    monkeypatch.setattr(pressure.time, "monotonic", lambda: clock[0])

    def after(*takes: float) -> float:
        for seconds in takes:
            relieved.application = lambda environ, start, seconds=seconds: (
                clock.__setitem__(0, clock[0] + seconds) or []
            )
            list(relieved({"PATH_INFO": PATH}, lambda *status: None))
        return relieved.patience_ms()

    relieved = pressure.Relieved(lambda environ, start: [])
    least = settings.GATEWAY_PATIENCE_MS
    assert relieved.patience_ms() == least
    slow = after(*[0.05] * 1000)
    assert slow == pytest.approx(50 * settings.GATEWAY_PATIENCE_TIMES, rel=0.02)
    assert after(60.0) == pytest.approx(slow, rel=0.02)
    assert after(*[0.001] * 1000) == least


def test_turning_many_away_is_one_line(settings, caplog) -> None:
    caplog.set_level(logging.WARNING)
    relieved = pressure.Relieved(lambda environ, start: [b""])
    for _ in range(50):
        environ = {"PATH_INFO": PATH, "gunicorn.socket": Waited(10**6), "wsgi.input": io.BytesIO()}
        list(relieved(environ, lambda *status: None))
    assert caplog.text.count("turned away") == 1


def test_the_kernel_says_how_long_a_connection_was_quiet() -> None:
    import time

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"POST")
        accepted, _ = server.accept()
        with accepted:
            time.sleep(0.3)
            waited = pressure.waited_ms({"gunicorn.socket": accepted})
            assert 250 <= waited < 60_000
            client.sendall(b" ")
            accepted.recv(10)
            assert pressure.waited_ms({"gunicorn.socket": accepted}) < waited


def test_other_sockets_say_nothing() -> None:
    mine, other = socket.socketpair()
    with mine, other:
        assert pressure.waited_ms({"gunicorn.socket": mine}) == 0


def test_a_body_without_length_is_read_to_its_end() -> None:
    source = io.BytesIO(b"x" * 200_000)
    pressure.drain(source, None)
    assert source.read() == b""
