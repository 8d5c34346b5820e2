"""Run the scenarios named on the command line, or all; print the table. Exit status 1 if anything did not hold."""

import os
import sys
import time
import traceback
from collections.abc import Callable

from faults import places
from faults.outcome import Outcome, table
from portal.services import ServiceError


def scenarios() -> dict[str, tuple[str, Callable[[], Outcome]]]:
    """Name -> what it is, and the function; in the order in which they run."""
    from faults import (
        clocks,
        counters,
        cut,
        defects,
        disk,
        killed,
        locks,
        machine,
        mixed,
        overload,
        restore,
        statements,
        turning,
        unanswered,
        workers,
    )

    return {
        "defects": ("the checker can fail", defects.all_caught),
        "killed": ("F1 PostgreSQL killed", killed.server_killed),
        "cut": ("F2 answers lost", cut.answers_lost),
        "statements": ("F3 the line dies at each statement", statements.each_statement),
        "model": ("F4 against a model", machine.against_model),
        "locks": ("F5 opposite orders", locks.crosswise),
        "mixed": ("F5 every verb at once", mixed.all_at_once),
        "fen": ("F5 the last fen", locks.last_fen),
        "worker": ("F6 workers killed", workers.worker_killed),
        "twice": ("F7 tasks twice and late", workers.task_twice),
        "redis": ("F8 Redis killed and emptied", workers.redis_lost),
        "unanswered": ("G1 tills without an answer", unanswered.answers_lost_to_tills),
        "counters": ("G2, G3 tills at once", counters.tills_at_once),
        "turning": ("G4 the year ends at the till", turning.year_turns),
        "overload": ("G5 ten times the tills", overload.overload),
        "disk": ("F11 disk full", disk.disk_full),
        "clocks": ("F12 clocks jump over the year's end", clocks.clocks_jump),
        "restore": ("F14 restored from a backup", restore.restored_to_the_fen),
    }


def main() -> int:
    """Exit status 2 for a name that there is not."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.test"
    try:
        with places.own_servers():
            import django

            django.setup()
            known = scenarios()
            wanted = sys.argv[1:] or list(known)
            if unknown := [name for name in wanted if name not in known]:
                print(f"No such scenario: {', '.join(unknown)}. There are: {', '.join(known)}", file=sys.stderr)
                return 2
            places.make_template()
            rows = [_run(name, *known[name]) for name in wanted]
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    failed = [name for name, _what, _seconds, outcome in rows if outcome.findings]
    print(f"\n{table(rows)}\n\n" + (f"FINDINGS in {', '.join(failed)}" if failed else "Everything holds."), flush=True)
    return 1 if failed else 0


def _run(name: str, what: str, scenario: Callable[[], Outcome]) -> tuple[str, str, float, Outcome]:
    print(f"{name}: {what} ...", flush=True)
    began = time.monotonic()
    try:
        outcome = scenario()
    except Exception as error:  # noqa: BLE001 - one scenario that breaks down must not hide the others
        traceback.print_exc()
        outcome = Outcome("broke down", [repr(error)])
        places.postgres().start()
        places.redis().start()
    return name, what, time.monotonic() - began, outcome


if __name__ == "__main__":
    sys.exit(main())
