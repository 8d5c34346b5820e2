"""The demo's processes: brought back, told about, stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from portal.services import ServiceError
from portal.services.supervisor import RESTARTS, Child, Supervisor

PROJECT = Path(__file__).resolve().parents[2]
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A worker as Celery has them: a main process with one of a pool; the main one takes no notice of SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
SUPERVISED = """
import sys, time
from pathlib import Path
from portal.services.supervisor import Child, Supervisor
with Supervisor() as supervisor:
    supervisor.start(Child("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1])))
    print(supervisor.children[0].process.pid, flush=True)
    time.sleep(60)
"""


def wait_for(condition: Callable[[], object], limit: float = 20) -> bool:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_one_that_may_come_back_is_started_again_until_it_has_died_too_often(tmp_path: Path) -> None:
    child = Child("worker", [sys.executable, "-c", "print('no broker')"], tmp_path / "worker.log", comes_back=True)
    with Supervisor() as supervisor:
        supervisor.start(child)
        for _ in range(RESTARTS):
            assert wait_for(lambda: child.died is not None)
            supervisor.look()
        assert wait_for(lambda: child.died is not None)
        with pytest.raises(ServiceError, match="worker ended by itself"):
            supervisor.look()
    assert child.starts == RESTARTS + 1


def test_the_end_of_the_log_is_told_when_one_dies_for_good(tmp_path: Path) -> None:
    child = Child("web", [sys.executable, "-c", "import sys; sys.exit('port is taken')"], tmp_path / "web.log")
    with Supervisor() as supervisor:
        supervisor.start(child)
        assert wait_for(lambda: child.died is not None)
        with pytest.raises(ServiceError, match="port is taken"):
            supervisor.look()


def test_all_are_stopped_also_one_that_does_not_listen_and_its_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.supervisor.STOP_LIMIT", 1.0)
    log = tmp_path / "worker.log"
    with Supervisor() as supervisor:
        supervisor.start(Child("web", SLEEP, tmp_path / "web.log"))
        supervisor.start(Child("worker", [sys.executable, "-c", STUBBORN], log))
        assert wait_for(lambda: log.read_text().strip().isdigit())
    assert [child.process.poll() for child in supervisor.children if child.process] == [
        -signal.SIGTERM,
        -signal.SIGKILL,
    ]
    assert wait_for(lambda: gone(int(log.read_text())))


def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path / "log")]
    supervisor = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout
    pid = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.wait()
    try:
        assert wait_for(lambda: gone(pid)) is (sys.platform == "linux")
    finally:
        if not gone(pid):
            psutil.Process(pid).kill()
