"""What messages say. A message is a kind and its facts; each app registers its kinds in `AppConfig.ready`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from accounts.models import Message
from accounts.wording import Text, fill


class Told(NamedTuple):
    """A message in the reader's language."""

    title: str
    body: str


_texts: dict[str, tuple[Text, Text]] = {}


def register_message(kind: str, title: Text, body: Text) -> None:
    """Say what a kind of message reads like: lazy texts with %(name)s for its facts. Also used for the text message."""
    _texts[kind] = (title, body)


def registered() -> set[str]:
    """All kinds, for the test that each can be told."""
    return set(_texts)


def tell_kind(kind: str, params: Mapping[str, Any]) -> Told:
    """Title and body of a kind with these facts. KeyError for a kind nobody registered."""
    title, body = _texts[kind]
    return Told(fill(title, params), fill(body, params))


def tell(message: Message) -> Told:
    """Title and body of a message; one whose kind has gone since is told by its kind alone."""
    if message.kind not in _texts:
        return Told(message.kind, "")
    return tell_kind(message.kind, message.params)


register_message(
    "welcome",
    _("Your account is open"),
    _("You have claimed your record. Next, prove who you are once, then you can let your family use your account."),
)
register_message(
    "identity_proven",
    _("Your identity is proven"),
    _("You can now add relatives, set limits and pay premiums online."),
)
register_message(
    "password_changed",
    _("Your password was changed"),
    _("Your password was changed on %(changed_at)s. If it was not you, call 12393 at once."),
)
register_message(
    "phone_changed",
    _("Your telephone was changed"),
    _("Codes now go to %(phone)s. If it was not you, call 12393 at once."),
)
register_message(
    "phone_released",
    _("Your telephone was taken out of your login"),
    _(
        "Whoever has the number %(phone)s now has registered it at a window with the ID card. Log in with your password and"
        " register your own number, or come to a window with your ID card."
    ),
)
