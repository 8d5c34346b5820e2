"""Production: everything comes from the environment, and a missing value stops the start."""

import json
import os

from django.core.exceptions import ImproperlyConfigured

from portal import services
from portal.settings.base import *  # noqa: F403 - the settings idiom


def required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment.")
    return value


DEBUG = False
SECRET_KEY = required("SECRET_KEY")
ALLOWED_HOSTS = required("ALLOWED_HOSTS").split(",")
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"https://{ALLOWED_HOSTS[0]}").rstrip("/")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
# {"1": "base64 of 32 bytes", …}: the highest number encrypts, the others still decrypt.
PII_KEYS = {int(number): key for number, key in json.loads(required("PII_KEYS")).items()}
BLIND_INDEX_KEY = required("BLIND_INDEX_KEY")

required("DATABASE_URL")
required("REDIS_URL")
# Kept between requests: opening a connection costs more than settling a bill.
DATABASES = {"default": {**services.database_settings(), "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
CELERY_BROKER_URL = services.broker_url()
CACHES = {"default": CACHE | {"LOCATION": services.redis_url(db=1)}}  # noqa: F405

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"

# How many proxies of ours stand before the portal: the address of a visitor is taken from what they added.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXY_COUNT", "1"))
SMS_GATEWAY = "accounts.sms.HttpGateway"
SMS_URL = required("SMS_URL")
SMS_SECRET = required("SMS_SECRET")
