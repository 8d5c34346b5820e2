"""Encryption at rest of numbers that identify a person, and their blind index for look-ups.

A stored value is: suite byte, key id byte, 12-byte nonce, AES-256-GCM ciphertext with tag. The key id lets keys rotate.
"""

import base64
import hmac
import os
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

SUITE_AES_256_GCM = 1
# Suite, key id, nonce and tag: so many bytes more than what is in it.
OVERHEAD = 30


@cache
def _cipher(key: str) -> AESGCM:
    return AESGCM(base64.b64decode(key))


def seal(data: bytes, context: str) -> bytes:
    """Encrypt bytes for one column; `context` ("table.column") is authenticated, so no value fits another column."""
    key_id = max(settings.PII_KEYS)
    nonce = os.urandom(12)
    sealed = _cipher(settings.PII_KEYS[key_id]).encrypt(nonce, data, context.encode())
    return bytes([SUITE_AES_256_GCM, key_id]) + nonce + sealed


def unseal(stored: bytes, context: str) -> bytes:
    """What was sealed; raises on a changed byte or another column's value."""
    stored = bytes(stored)
    if stored[0] != SUITE_AES_256_GCM:
        raise ValueError("unknown encryption suite")
    return _cipher(settings.PII_KEYS[stored[1]]).decrypt(stored[2:14], stored[14:], context.encode())


def encrypt(text: str, context: str) -> bytes:
    """`seal` for a text."""
    return seal(text.encode(), context)


def decrypt(stored: bytes, context: str) -> str:
    """The text of a stored value; raises as `unseal` does."""
    return unseal(stored, context).decode()


def blind_index(text: str) -> str:
    """A keyed digest by which an encrypted value can be found and kept unique; 64 hex digits."""
    return hmac.digest(base64.b64decode(settings.BLIND_INDEX_KEY), text.encode(), sha256).hex()
