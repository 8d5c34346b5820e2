"""Sessions in the database, encrypted: they hold forms on hold, and a second factor's secret while it is set up."""

from cryptography.exceptions import InvalidTag
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.serializers import JSONSerializer

from accounts import crypto

CONTEXT = "django_session.session_data"


class SessionStore(DatabaseStore):
    """Django's database sessions with the data sealed by the key for personal numbers."""

    def encode(self, session_dict: dict) -> str:
        return crypto.encrypt(JSONSerializer().dumps(session_dict).decode("latin-1"), CONTEXT).hex()

    def decode(self, session_data: str) -> dict:
        try:
            return JSONSerializer().loads(crypto.decrypt(bytes.fromhex(session_data), CONTEXT).encode("latin-1"))
        # Another key or a changed byte: nobody is logged in by it.
        except (ValueError, KeyError, IndexError, InvalidTag):
            return {}
