"""Gateways for text messages. `send` returns once the provider has taken the message, else it raises SmsNotSent."""

import hashlib
import hmac
import json
import urllib.error
import urllib.request
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from accounts import clock
from accounts.masks import mask_phone

TIMEOUT_SECONDS = 10


class SmsNotSent(Exception):
    """The provider did not take the message; it can be tried again."""


class Gateway(Protocol):
    """What the outbox needs of a provider."""

    def send(self, phone: str, text: str, reference: str) -> None:
        """Hand one message over. `reference` is the same for every try, so the provider can drop a repetition."""


class ConsoleGateway:
    """For demo and tests: nothing leaves the machine. The log says that something was sent, the demo page what."""

    def send(self, phone: str, text: str, reference: str) -> None:
        path = settings.BASE_DIR / "var" / "log" / "sms.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{clock.now():%Y-%m-%d %H:%M:%S} {reference} to {mask_phone(phone)}, {len(text)} characters\n")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A provider that sends us elsewhere is not the provider we signed for."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


class HttpGateway:
    """A provider that takes JSON over HTTPS, signed with HMAC-SHA256 over the body (header X-Signature)."""

    def send(self, phone: str, text: str, reference: str) -> None:
        if not settings.SMS_URL.startswith("https://"):
            raise SmsNotSent("SMS_URL must be https")
        body = json.dumps({"phone": phone, "text": text, "reference": reference}).encode()
        signature = hmac.new(settings.SMS_SECRET.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            settings.SMS_URL, body, {"Content-Type": "application/json", "X-Signature": signature}
        )
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(1024)
        except (urllib.error.URLError, OSError) as error:
            # Without the address: it may hold a key.
            raise SmsNotSent(type(error).__name__) from None


def gateway() -> Gateway:
    """The gateway that the settings name."""
    made: Gateway = import_string(settings.SMS_GATEWAY)()
    return made
