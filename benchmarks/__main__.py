"""Run the measurements named on the command line, or all; print the table, keep it as JSON."""

import os
import sys
from datetime import datetime

from benchmarks import measure, places
from portal import services


def main() -> int:
    """Exit status 2 for a name that there is not; a missed aim is no error: other machines, other numbers."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.demo")
    with services.hold():
        places.move_in()
        import django

        django.setup()
        from benchmarks import again, alike, files, pages, rollover, rush, settling, switch, worker

        known = {
            "rollover": rollover.measure_rollover,
            "switch": switch.measure_switch,
            "settling": settling.measure_settling,
            "pages": pages.measure_pages,
            "memory": rollover.measure_memory,
            "rush": rush.measure_rush,
            "worker": worker.measure_worker,
            "files": files.measure_files,
            "again": again.measure_again,
            "alike": alike.measure_alike,
        }
        wanted = sys.argv[1:] or list(known)
        if unknown := [name for name in wanted if name not in known]:
            print(f"No such benchmark: {', '.join(unknown)}. There are: {', '.join(known)}", file=sys.stderr)
            return 2
        lines: list[measure.Line] = []
        # What a run that was killed left behind may be half a database.
        places.clear()
        try:
            for name in wanted:
                print(f"{name} ...", flush=True)
                lines += known[name]()
        finally:
            # Also after Ctrl-C or a failure: what has been measured is worth keeping.
            print(f"\n{measure.table(lines)}\n\nKept in {measure.save(lines, datetime.now())}", flush=True)
            places.clear()
    return 0


if __name__ == "__main__":
    sys.exit(main())
