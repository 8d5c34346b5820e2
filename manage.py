#!/usr/bin/env python3
"""Django's commands. The embedded services run while a command that needs them does (portal/services)."""

import contextlib
import importlib.util
import os
import sys


def main() -> int:
    if importlib.util.find_spec("django") is None:
        print("Run it as .venv/bin/python manage.py ...; `make demo` or `make test` makes .venv.", file=sys.stderr)
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.demo")
    from django.core.management import execute_from_command_line

    from portal import services
    from portal.services import translations

    try:
        translations.compile_stale()
        with services.hold() if services.needed_by(sys.argv[1:]) else contextlib.nullcontext():
            execute_from_command_line(sys.argv)
    except services.ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
