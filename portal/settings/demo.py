"""The demo on one's own machine: embedded services, keys kept under var/, aids that production does not have."""

import base64
import os
from pathlib import Path

from portal import services
from portal.settings.base import *  # noqa: F403 - the settings idiom


def local_secret(name: str) -> str:
    """A key made once for this folder: base64 of 32 random bytes, readable by its owner alone."""
    path = Path(BASE_DIR) / "var" / "keys" / name  # noqa: F405
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(base64.b64encode(os.urandom(32)).decode())
    except FileExistsError:
        pass
    return path.read_text()


DEBUG = False
DEMO = True
IDENTITY_ADAPTER = "accounts.identity.DemoFace"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
# The demo says where it stands, for papers carry the address.
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8000")
# Where the till calls the gateway; never what a request says of its host.
TILL_URL = os.environ.get("TILL_URL", PUBLIC_URL)
SECRET_KEY = local_secret("django")
PII_KEYS = {1: local_secret("pii")}
BLIND_INDEX_KEY = local_secret("blind-index")

# Kept between requests: opening a connection costs more than settling a bill.
DATABASES = {"default": {**services.database_settings(), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
CELERY_BROKER_URL = services.broker_url()
CACHES = {"default": CACHE | {"LOCATION": services.redis_url(db=1)}}  # noqa: F405
