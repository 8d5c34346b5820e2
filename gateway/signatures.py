"""Who is calling: the variants of signed headers, and the check that a call was signed with a valid key.

Another gateway's scheme (interface of `Scheme`) becomes one more entry of VARIANTS and of `enums.Variant`. Source of the
four: interface.md 1.4, read in the programs of institutions.
"""

import base64
import datetime
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from django.db.models import Q

from gateway import envelope
from gateway.enums import Variant
from gateway.errors import Rejected
from gateway.models import InstitutionKey

WINDOW = datetime.timedelta(minutes=5)
# What the text that names these headers grants.
API_WINDOW = datetime.timedelta(minutes=30)
MOST_HEADER = 128
MOST_NONCE = 64
# A key's secret never changes, so a key that has signed a call is not fetched and decrypted for the next one. What may
# change, its end and its institution, `actions.messages` reads anew with each call: a retired key ends at once.
MOST_REMEMBERED = 10_000
_remembered: dict[tuple[str, str], tuple[InstitutionKey, ...]] = {}


@dataclass(frozen=True)
class Claimed:
    """What the headers say, not yet believed. `key_id` may be the code of the institution; `timestamp` is Unix time in
    seconds, or in milliseconds with 13 digits, or empty; `signed`: what else the signature is over."""

    key_id: str
    timestamp: str
    nonce: str
    signature: str
    signed: tuple[str, ...] = ()


class Scheme(Protocol):
    """One way to sign. `timestamp` is the form of the timestamp, None where there is none; `sends_nonce`: whether two
    calls that say the same thing differ, so that one that comes twice was sent by somebody else."""

    headers: tuple[str, ...]
    timestamp: re.Pattern[str] | None
    window: datetime.timedelta
    sends_nonce: bool

    def claimed(self, values: list[str]) -> Claimed | None:
        """The claim in the values of `headers`, None if they do not make one."""

    def sign(self, secret: str, claimed: Claimed, body: bytes) -> str:
        """The right signature."""

    def nonce(self, claimed: Claimed, body: bytes) -> str:
        """By which a call that comes a second time is known: at most 64 characters."""


class XTif:
    """Guangdong, Inner Mongolia, Hebei: hex SHA-256 of timestamp + secret + nonce + timestamp, in either case.

    Older gateways call the same headers x-rio-…. It does not cover the body: only TLS protects that.
    """

    headers = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature")
    timestamp = re.compile(r"[0-9]{10}")
    window = WINDOW
    sends_nonce = True

    def claimed(self, values: list[str]) -> Claimed | None:
        key_id, timestamp, nonce, signature = values
        return Claimed(key_id, timestamp, nonce, signature.lower()) if len(nonce) <= MOST_NONCE else None

    def sign(self, secret: str, claimed: Claimed, body: bytes) -> str:
        return sha256(f"{claimed.timestamp}{secret}{claimed.nonce}{claimed.timestamp}".encode()).hexdigest()

    def nonce(self, claimed: Claimed, body: bytes) -> str:
        return claimed.nonce


class XCa:
    """Zhejiang: `<Unix seconds>:<hex HMAC-SM3 of timestamp, line feed and body>`; the key is the institution's code.

    Which of its keys signed is found by trying those it has. There is no nonce: the signature over the body is one.
    """

    headers = ("x-ca-key", "x-ca-signature")
    timestamp = re.compile(r"[0-9]{10}")
    window = WINDOW
    sends_nonce = False

    def claimed(self, values: list[str]) -> Claimed | None:
        timestamp, colon, signature = values[1].partition(":")
        return Claimed(values[0], timestamp, "", signature.lower()) if colon else None

    def sign(self, secret: str, claimed: Claimed, body: bytes) -> str:
        made = HMAC(secret.encode(), hashes.SM3())
        made.update(claimed.timestamp.encode() + b"\n" + body)
        return made.finalize().hex()

    def nonce(self, claimed: Claimed, body: bytes) -> str:
        return claimed.signature


class Api:
    """Hunan, Jiangsu: Base64 of the HmacSHA1 over four headers by the order of their names. It does not cover the body.

    There is no nonce, and of calls in one second some programs make the same signature: the same headers with the same
    body are one call. Behind a proxy that does not pass names with underscores the headers are called x-api-….

    Its own gateway says `code` and `message` where a call does not get through, in words that programs compare.
    """

    told = {
        "headers_missing": "缺少服务网关的请求头!",
        "timestamp_off": "签名时间戳超时!",
        "key_unknown": "非法用户!",
        "signature_wrong": "签名不一致!",
    }

    headers = ("_api_access_key", "_api_name", "_api_timestamp", "_api_version", "_api_signature")
    timestamp = re.compile(r"[0-9]{10}([0-9]{3})?")
    window = API_WINDOW
    sends_nonce = False

    def claimed(self, values: list[str]) -> Claimed | None:
        access_key, name, timestamp, version, signature = values
        return Claimed(access_key, timestamp, "", signature, (name, version))

    def sign(self, secret: str, claimed: Claimed, body: bytes) -> str:
        name, version = claimed.signed
        text = f"_api_access_key={claimed.key_id}&_api_name={name}&_api_timestamp={claimed.timestamp}&_api_version={version}"
        return base64.b64encode(hmac.digest(secret.encode(), text.encode(), sha1)).decode()

    def nonce(self, claimed: Claimed, body: bytes) -> str:
        return sha256(f"{claimed.timestamp} {claimed.signature} ".encode() + body).hexdigest()


class ApiKey:
    """Henan: the key itself in a header, here `<key ID>.<secret>`. It proves no time and no call: give such an
    institution allowed addresses."""

    headers = ("apikey",)
    timestamp = None
    window = WINDOW
    sends_nonce = True

    def claimed(self, values: list[str]) -> Claimed | None:
        key_id, _dot, secret = values[0].rpartition(".")
        return Claimed(key_id, "", secrets.token_hex(16), secret) if key_id else None

    def sign(self, secret: str, claimed: Claimed, body: bytes) -> str:
        return secret

    def nonce(self, claimed: Claimed, body: bytes) -> str:
        return claimed.nonce


# Under which a header is found besides: as a proxy that drops underscores renames it, and as older gateways called it.
OTHER_NAMES = {name: f"x-{name[1:].replace('_', '-')}" for name in Api.headers}
OTHER_NAMES |= {name: name.replace("x-tif-", "x-rio-") for name in XTif.headers}
VARIANTS: dict[str, Scheme] = {
    Variant.X_TIF: XTif(),
    Variant.X_CA: XCa(),
    Variant.API: Api(),
    Variant.API_KEY: ApiKey(),
}


def authenticate(headers: Mapping[str, str], body: bytes, *, at: datetime.datetime) -> tuple[InstitutionKey, str]:
    """The key that signed the call, with its institution, and the nonce. That the nonce is new, and that a key which
    this process remembers is still valid, is held by the database when the call is recorded.

    Raises Rejected: headers_missing, timestamp_off, key_unknown, signature_wrong, key_expired.
    """
    variant, claimed = _claimed(headers)
    scheme = VARIANTS[variant]
    _check_time(scheme, claimed, at)
    key = _signer(variant, claimed, body)
    if not key.is_valid(at):
        raise Rejected("key_expired")
    return key, scheme.nonce(claimed, body)


def told_beside(headers: Mapping[str, str], code: str) -> dict[str, Any]:
    """What programs that sign by `Api`, or not at all, look for beside the envelope when they are refused for a code."""
    begun = _begun(headers)
    return (
        {"code": 401, "message": Api.told[code]} if begun in ([], [VARIANTS[Variant.API]]) and code in Api.told else {}
    )


def named_by(headers: Mapping[str, str]) -> str:
    """The key ID or institution code that headers name, proven by nothing; empty where they make no claim."""
    try:
        return _claimed(headers)[1].key_id
    except Rejected:
        return ""


def forget(key: InstitutionKey) -> None:
    """The database does not know a key as this process remembers it."""
    _remembered.pop((key.variant, key.key_id), None)
    _remembered.pop((key.variant, key.institution.code), None)


def _check_time(scheme: Scheme, claimed: Claimed, at: datetime.datetime) -> None:
    if scheme.timestamp is None:
        return
    known = scheme.timestamp.fullmatch(claimed.timestamp)
    seconds = float(claimed.timestamp) / (1000 if len(claimed.timestamp) == 13 else 1) if known else 0
    if abs(seconds - at.timestamp()) > scheme.window.total_seconds():
        raise Rejected("timestamp_off", minutes=int(scheme.window.total_seconds() // 60))


def _signer(variant: str, claimed: Claimed, body: bytes) -> InstitutionKey:
    """Of the keys that the caller may mean the one that signed: remembered ones first, then those of the database."""
    remembered = _remembered.get((variant, claimed.key_id), ())
    key = _right(variant, remembered, claimed, body)
    if key is None:
        # A key ID is one key for ever; of an institution there may be a new one.
        only = len(remembered) == 1 and remembered[0].key_id == claimed.key_id
        found = () if only else _keys(variant, claimed.key_id)
        key = _right(variant, found, claimed, body)
        if key is None:
            raise Rejected("signature_wrong" if remembered or found else "key_unknown")
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[variant, claimed.key_id] = found
    return key


def _right(variant: str, keys: tuple[InstitutionKey, ...], claimed: Claimed, body: bytes) -> InstitutionKey | None:
    for key in keys:
        right = VARIANTS[variant].sign(key.secret, claimed, body)
        if hmac.compare_digest(right.encode(), claimed.signature.encode()):
            return key
    return None


def _keys(variant: str, key_id: str) -> tuple[InstitutionKey, ...]:
    """The keys with this ID; of x-ca also those of the institution with this code, the newest first."""
    which = Q(key_id=key_id)
    if variant == Variant.X_CA:
        which |= Q(institution__code=key_id)
    known = InstitutionKey.objects.select_related("institution__gateway_settings").filter(which, variant=variant)
    found = tuple(known.order_by("-valid_from"))
    for key in found:
        key.dialect = envelope.dialect_of(getattr(key.institution, "gateway_settings", None))
    return found


def _claimed(headers: Mapping[str, str]) -> tuple[str, Claimed]:
    for variant, scheme in VARIANTS.items():
        values = [_value(headers, name) for name in scheme.headers]
        # A control character or an endless header would only fail later, in the database.
        if all(value and value.isprintable() and value.isascii() and len(value) <= MOST_HEADER for value in values):
            claimed = scheme.claimed(values)
            if claimed is not None:
                return variant, claimed
    raise Rejected("headers_missing", headers=tuple((_begun(headers) or [*VARIANTS.values()])[0].headers))


def _begun(headers: Mapping[str, str]) -> list[Scheme]:
    """The variants of which a header is there."""
    return [scheme for scheme in VARIANTS.values() if any(_value(headers, name) for name in scheme.headers)]


def _value(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        value = headers.get(OTHER_NAMES.get(name, ""))
    return (value or "").strip()
