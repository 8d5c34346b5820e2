"""Play the parts named on the command line, or all; print the table. Exit status 1 if anything does not hold."""

import os
import sys

from portal.services import ServiceError

NAME = "conformance"


def main() -> int:
    """Exit status 2 for a part that there is not."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.demo"
    from portal.services import own

    try:
        with own.servers(NAME, NAME) as house:
            import django

            django.setup()
            from conformance import lanes, parts

            known = parts.every()
            wanted = sys.argv[1:] or list(known)
            if unknown := [name for name in wanted if name not in known]:
                print(f"No such part: {', '.join(unknown)}. There are: {', '.join(known)}", file=sys.stderr)
                return 2
            rows = lanes.run(house, [job for name in wanted for job in known[name].jobs()])
            print(f"\n{parts.table(known, rows)}", flush=True)
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    failed = [row.part for row in rows if row.told.findings]
    print(f"\nDoes not hold: {', '.join(failed)}" if failed else "\nEverything holds.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
