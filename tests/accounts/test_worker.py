"""A real worker: the bell after the commit is heard, and without it the row waits for the beat (F8)."""

import os
import signal
import subprocess
import sys
import time

import pytest
import redis
from django.conf import settings

from accounts.actions import messages
from accounts.clock import now
from accounts.models import SmsOutbox
from tests.people import make_phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


@pytest.fixture
def worker(service_environment):
    """A worker of our own, with nothing in the broker before."""
    with redis.Redis.from_url(settings.CACHES["default"]["LOCATION"]) as client:
        client.flushdb()
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "--concurrency=1", "--loglevel=WARNING"]
    process = subprocess.Popen(command, env=service_environment, start_new_session=True)
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_sent(count: int) -> None:
    end = time.monotonic() + 60
    while SmsOutbox.objects.filter(state="sent").count() < count:
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_committed_text_message_is_sent_at_once_and_one_whose_bell_was_lost_with_the_next(worker):
    messages.send_text(phone=make_phone(), text="甲", kind="welcome", at=now())
    wait_for_sent(1)
    # As if Redis had died between the commit and the bell.
    SmsOutbox.objects.update(state="waiting", tries=0)
    messages.send_text(phone=make_phone(), text="乙", kind="welcome", at=now())
    wait_for_sent(2)
