"""Two connections at once, for tests on committed data."""

import threading
from collections.abc import Callable

from django.db import connections

from accounts.errors import Refused

PATIENCE = 10  # seconds


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run the acts in threads, each with a connection of its own; what came of each, sorted."""
    start, outcomes = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            start.wait(PATIENCE)
            outcomes[number] = str(act())
        except Refused as refused:
            outcomes[number] = refused.code
        except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
            outcomes[number] = repr(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=row) for row in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return sorted(outcomes)
