import gc
import logging
import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from accounts.logs import keep_discreet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.demo")
application = get_wsgi_application()
from gateway.pressure import Relieved  # noqa: E402 - needs the applications that the line above has loaded


def bound_statements(connection: Any, **more: Any) -> None:
    """No page may hold a connection for long. Said to web connections alone: commands and workers have long statements."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{settings.WEB_STATEMENT_SECONDS}s"])


connection_created.connect(bound_statements, dispatch_uid="portal_bound_statements")
application = Relieved(application)
# gunicorn writes to handlers of its own, the addresses of pages among them.
keep_discreet(logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access"))
# What is loaded by now stays: the search for cycles need not look at it again and again. Calls leave next to none, so it
# need not come every 700 objects either, which is twice a call.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
