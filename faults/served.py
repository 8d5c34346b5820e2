"""The portal as gunicorn serves it to tills (web.py): by a clock that the scenario sets, and from processes that die, now
and then, when an answer is ready and nobody has been told it."""

import datetime
import os
import random
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")

from django.db import connections
from django.utils import timezone

from portal.wsgi import application as portal

# As production has it; tests open a connection anew for each request.
connections.settings["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
AHEAD, DEATHS = (Path(os.environ[name]) for name in ("FAULTS_AHEAD", "FAULTS_DEATHS"))
_real = timezone.now


def _now() -> datetime.datetime:
    return _real() + datetime.timedelta(seconds=float(AHEAD.read_text()))


timezone.now = _now


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The portal; by now what it did is committed, so whoever dies here takes only the answer along."""
    answer = portal(environ, start_response)
    if environ["PATH_INFO"].startswith("/fsi/") and random.random() < float(DEATHS.read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
