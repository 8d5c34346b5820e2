"""For tests: fixed keys, cheap password hashing, plain static files."""

from portal import services
from portal.settings.base import *  # noqa: F403 - the settings idiom

DEBUG = False
DEMO = True
# Nothing answers there: a test that lets the till talk names its own server.
TILL_URL = "http://127.0.0.1:1"
AUDIT_ANCHORS = BASE_DIR / "var" / "test" / "anchors"  # noqa: F405
IDENTITY_ADAPTER = "accounts.identity.DemoFace"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
SECRET_KEY = "test-only-" + "k" * 50
PII_KEYS = {1: "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}
BLIND_INDEX_KEY = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="

DATABASES = {"default": services.database_settings()}
CELERY_BROKER_URL = services.broker_url()
CACHES = {"default": CACHE | {"LOCATION": services.redis_url(db=1)}}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Nothing is collected here: a demo that starts in the same folder must not take files from under a test.
STATIC_ROOT = BASE_DIR / "var" / "test" / "static"  # noqa: F405
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
