"""Who is calling: the variants of signed headers, and the check that a call was signed with a valid key.

Another gateway's scheme (interface of `XTif`) becomes one more entry of VARIANTS and of `enums.Variant`.
"""

import datetime
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from gateway.enums import Variant
from gateway.errors import Rejected
from gateway.models import InstitutionKey

WINDOW = datetime.timedelta(minutes=5)
# A key's secret never changes, so a key that has signed a call is not fetched and decrypted for the next one. What may
# change, its end and its institution, `actions.messages` reads anew with each call: a retired key ends at once.
MOST_REMEMBERED = 10_000
_remembered: dict[tuple[str, str], InstitutionKey] = {}


@dataclass(frozen=True)
class Claimed:
    """What the headers say, not yet believed. `timestamp` in Unix seconds."""

    key_id: str
    timestamp: str
    nonce: str
    signature: str


class Scheme(Protocol):
    """One way to sign. `headers` in the order key ID, timestamp, nonce, signature."""

    headers: tuple[str, str, str, str]

    def sign(self, secret: str, timestamp: str, nonce: str, body: bytes) -> str: ...


class XTif:
    """Guangdong, Inner Mongolia, Hebei: hex SHA-256 of timestamp + secret + nonce + timestamp, in either case.

    It does not cover the body: only TLS protects that.
    """

    headers = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature")

    def sign(self, secret: str, timestamp: str, nonce: str, body: bytes) -> str:
        return sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest()


VARIANTS: dict[str, Scheme] = {Variant.X_TIF: XTif()}


def authenticate(headers: Mapping[str, str], body: bytes, *, at: datetime.datetime) -> tuple[InstitutionKey, str]:
    """The key that signed the call, with its institution, and the nonce. That the nonce is new, and that a key which
    this process remembers is still valid, is held by the database when the call is recorded.

    Raises Rejected: headers_missing, timestamp_off, key_unknown, signature_wrong, key_expired.
    """
    variant, claimed = _claimed(headers)
    if not re.fullmatch(r"[0-9]{10}", claimed.timestamp) or abs(int(claimed.timestamp) - at.timestamp()) > (
        WINDOW.total_seconds()
    ):
        raise Rejected("timestamp_off", minutes=int(WINDOW.total_seconds() // 60))
    key = _remembered.get((variant, claimed.key_id)) or _key(variant, claimed.key_id)
    right = VARIANTS[variant].sign(key.secret, claimed.timestamp, claimed.nonce, body)
    if not hmac.compare_digest(right.encode(), claimed.signature.lower().encode()):
        raise Rejected("signature_wrong")
    if not key.is_valid(at):
        raise Rejected("key_expired")
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[variant, claimed.key_id] = key
    return key, claimed.nonce


def forget(key: InstitutionKey) -> None:
    """The database does not know a key as this process remembers it."""
    _remembered.pop((key.variant, key.key_id), None)


def _key(variant: str, key_id: str) -> InstitutionKey:
    try:
        return InstitutionKey.objects.select_related("institution").get(key_id=key_id, variant=variant)
    except InstitutionKey.DoesNotExist:
        raise Rejected("key_unknown") from None


def _claimed(headers: Mapping[str, str]) -> tuple[str, Claimed]:
    for variant, scheme in VARIANTS.items():
        values = [headers.get(name, "").strip() for name in scheme.headers]
        # A control character or an endless header would only fail later, in the database.
        if all(value and value.isprintable() and value.isascii() and len(value) <= 64 for value in values):
            return variant, Claimed(*values)
    raise Rejected("headers_missing", headers=", ".join(next(iter(VARIANTS.values())).headers))
