"""How to sign a call, for each variant: what a technician copies. The tests run the programs against the signatures."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateway.enums import Variant

# What each program is given: the key as it was issued, the body as bytes.
GIVEN = ("key_id", "secret", "institution", "body")


@dataclass(frozen=True)
class Recipe:
    """`covers_body`: whether a changed body is noticed; if not, only TLS protects it."""

    variant: Variant
    what: Promise
    covers_body: bool
    program: str


RECIPES = (
    Recipe(
        Variant.X_TIF,
        _(
            "SHA-256 over timestamp, secret, nonce and timestamp again, in hex. Timestamp in seconds, the nonce once. The"
            " same headers may be called x-rio-… instead."
        ),
        False,
        """import hashlib, secrets, time

timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
headers = {
    "x-tif-paasid": key_id,
    "x-tif-timestamp": timestamp,
    "x-tif-nonce": nonce,
    "x-tif-signature": hashlib.sha256(f"{timestamp}{secret}{nonce}{timestamp}".encode()).hexdigest(),
}
""",
    ),
    Recipe(
        Variant.X_CA,
        _("HMAC-SM3 with the secret over timestamp, line feed and body, in hex; before it timestamp and colon."),
        True,
        """import hmac, time

timestamp = str(int(time.time()))
signature = hmac.new(secret.encode(), timestamp.encode() + b"\\n" + body, "sm3").hexdigest().upper()
headers = {"x-ca-key": institution, "x-ca-signature": f"{timestamp}:{signature}"}
""",
    ),
    Recipe(
        Variant.API,
        _("HmacSHA1 with the secret over the four headers in the order of their names, in Base64."),
        False,
        """import base64, hmac, json, time

headers = {
    "_api_access_key": key_id,
    "_api_name": json.loads(body)["infno"],
    "_api_timestamp": str(int(time.time() * 1000)),
    "_api_version": "1.0.0",
}
text = "&".join(f"{name}={headers[name]}" for name in sorted(headers))
headers["_api_signature"] = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
""",
    ),
    Recipe(
        Variant.API_KEY,
        _(
            "Key ID, full stop and secret in one header. Nothing is signed: have the administrator name the addresses from"
            " which calls are taken."
        ),
        False,
        """headers = {"apikey": f"{key_id}.{secret}"}
""",
    ),
)
