import gc
import logging
import os

from django.core.wsgi import get_wsgi_application

from accounts.logs import keep_discreet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.demo")
application = get_wsgi_application()
# Its imports need the applications that the line above has loaded.
from gateway.pressure import Relieved  # noqa: E402

application = Relieved(application)
# gunicorn writes to handlers of its own, the addresses of pages among them.
keep_discreet(logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access"))
# What is loaded by now stays: the search for cycles need not look at it again and again. Calls leave next to none, so it
# need not come every 700 objects either, which is twice a call.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
