"""Settings common to all ways of running; demo, test and production say only what differs."""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSTALLED_APPS = [
    "accounts.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "accounts",
    "casework",
    "documents",
    "family",
    "settlements",
    "counter",
    "gateway",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "gateway.middleware.machines_pass",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.middleware.RefuseBadInput",
    "accounts.middleware.LoginNeedsLimits",
    "accounts.middleware.no_store",
    "accounts.middleware.shut",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.end_old_sessions",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.login_under_htmx",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.middleware.tell_only_buttons",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.look",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.authentication.PortalBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "accounts.passwords.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.StaffKindsValidator"},
    {"NAME": "accounts.passwords.OwnFactsValidator"},
]

# Login, sessions and text messages (accounts). Citizens claim a record, so there is no sign-up and no e-mail.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.PortalAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm", "reauthenticate": "accounts.forms.ProveByPasswordForm"}
# Held in the Redis cache. The limits of one login slow a guesser down; the owner can still log in by text message.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "20/m/ip,5/300s/key",
    "reauthenticate": "10/m/user",
    "claim": "20/m/ip,5/3600s/key",
    "text_code": "20/m/ip,3/m/key",
    "document_check": "30/m/ip",
    "statement": "30/h/user",
    # Each reads all that is kept about somebody.
    "own_data": "5/h/user",
    "find_relative": "40/h/user",
    # Staff opening records by number: nobody serves so many, and whoever copies the register needs far more.
    "look_up": "80/h/user",
    # Enough to try things out, too few to feel one's way to what somebody else has.
    "estimate": "60/h/user",
}
MFA_ADAPTER = "accounts.adapter.PortalMfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "医保家账"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "accounts.forms.SecondFactorForm",
    "reauthenticate": "accounts.forms.ProveBySecondFactorForm",
}
SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE_SECONDS = {"member": 30 * 60, "staff": 15 * 60}
SESSION_WHOLE_SECONDS = 8 * 3600
SMS_GATEWAY = "accounts.sms.ConsoleGateway"
SMS_SIGNATURE = "医保家账"
SMS_CODES_A_DAY_AND_PHONE = 10
# More than this in a day is told in the log as an alarm; nothing is held back.
SMS_BUDGET_A_DAY = 50_000
# For so long text messages are kept, encrypted: that somebody was told of something is asked for months later. What a
# code's message said helps nobody once the code is over; that it was sent stays.
SMS_DAYS = 180
SMS_CODE_TEXT_DAYS = 1
# The heads of the audit chain, outside the database: whoever cuts off its end must also change this file.
AUDIT_ANCHORS = BASE_DIR / "var" / "audit" / "anchors"
# How a citizen proves who he is online: until a provider is connected, only at the window.
IDENTITY_ADAPTER = "accounts.identity.AtTheWindow"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Bodies: a form here is small, a fee list of an institution is at most a few hundred kilobytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "accounts.uploads.NamelessUploadHandler",
]

# A statement of a web request that takes longer is given up: one slow page must not hold a worker from all others.
WEB_STATEMENT_SECONDS = 30

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

CACHE = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    "OPTIONS": {"serializer": "accounts.cache.JsonSerializer"},
}

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# No task lasts a quarter of this: long work re-enqueues itself.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    # Ringing is not worth waiting for: with the broker gone a request would stand for six seconds. The beat rings too.
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}

# The year-end batch: accounts a chunk (a transaction each), workers on one run at most, seconds a task works.
ROLLOVER_CHUNK_SIZE = 1000
ROLLOVER_WORKERS = 4
ROLLOVER_SECONDS = 20
# A visit takes as many accounts of its chunk as it can hold for so long: settlements of theirs wait that time at most.
ROLLOVER_HELD_MS = 100
# The batch gives way when more sessions than this are at work, or when a visit takes longer than this.
ROLLOVER_BUSY = 12
ROLLOVER_SLOW_MS = 600
# A rollover is opened this many days before its year ends, and the alarm is raised when one stands still this long.
ROLLOVER_OPENED_DAYS = 30
ROLLOVER_STALL_MINUTES = 10

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Rows that PostgreSQL prints with an error, ID numbers and telephones are taken out.
    "formatters": {
        "line": {
            "class": "accounts.logs.DiscreetFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": "INFO"}
        for name in ["accounts", "casework", "counter", "documents", "family", "gateway", "portal", "settlements"]
    },
}

# A call of an institution that has waited for a worker so many times as long as calls take, and longer than this, is told
# that the system is busy.
GATEWAY_PATIENCE_TIMES = 4
GATEWAY_PATIENCE_MS = 50
# For so long bodies of calls and answers are kept, encrypted; then only who called what when, and how it ended.
GATEWAY_BODIES_DAYS = 180
# For so long files of institutions (9101, 9102) are kept, encrypted, and can be fetched.
GATEWAY_FILE_DAYS = 30

# Demo aids (one-time codes and sent messages on a page, the till) exist only where this is true.
DEMO = False
# Where people reach the portal: it stands on papers, as an address and as a code to scan.
PUBLIC_URL = "http://localhost:8000"
