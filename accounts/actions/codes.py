"""One-time codes by text message, for login, claim, forgotten password, proof, and consent at a window.

Only a keyed digest of a code is kept. A code belongs to one telephone, one purpose and one subject (a session, a case),
lives ten minutes, takes five tries, and works once.
"""

import datetime
import hmac
import logging
import secrets

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions.messages import send_text
from accounts.crypto import blind_index
from accounts.errors import Refused
from accounts.models import ConsentCode, SmsOutbox
from accounts.models.messages import CODES
from accounts.wording import Text

log = logging.getLogger(__name__)
LIFE = datetime.timedelta(minutes=10)
PAUSE = datetime.timedelta(seconds=60)
DAY = datetime.timedelta(days=1)
MOST_TRIES = 5
KIND = "code"
KIND_UNKNOWN = "unknown"

_purposes: dict[str, Text] = {}
_told_to_clerk: set[str] = set()


def register_purpose(purpose: str, words: Text, told_to_clerk: bool = False) -> None:
    """Say in the text message what a code is for: a lazy text such as "logging in".

    With `told_to_clerk` its owner says it at the window; the message must then not forbid just that.
    """
    _purposes[purpose] = words
    if told_to_clerk:
        _told_to_clerk.add(purpose)


register_purpose("login", gettext_lazy("logging in"))
register_purpose("claim", gettext_lazy("claiming your account"))
register_purpose("reset", gettext_lazy("setting a new password"))
register_purpose("change_phone", gettext_lazy("registering this telephone"))
register_purpose("proof", gettext_lazy("confirming that it is you"))
register_purpose("window_phone", gettext_lazy("registering this telephone"), told_to_clerk=True)
register_purpose("sharing_consent", gettext_lazy("agreeing to family sharing"), told_to_clerk=True)


@transaction.atomic
def issue(
    *, phone: str, purpose: str, subject: str, at: datetime.datetime, known: bool = True, unknown_text: str = ""
) -> ConsentCode:
    """Send a code to a telephone. Raises Refused: no_phone (there is none), code_too_soon (`seconds`), too_many_codes.

    With `known` False the telephone gets `unknown_text` instead and no code will ever fit; everything else takes the
    same course, so that nobody learns from outside which it was.
    """
    if not phone:
        raise Refused("no_phone")
    index = blind_index(phone)
    _refuse_too_many(index, at)
    code = f"{secrets.randbelow(10**6):06d}"
    if known:
        text = _words(purpose) % {"code": code, "what": _purposes[purpose]}
    else:
        text = unknown_text or _(
            "Somebody entered this number at the portal, but it belongs to no login there. "
            "You can claim your account, or ask at the window."
        )
    send_text(phone=phone, text=text, kind=f"{KIND if known else KIND_UNKNOWN}:{purpose}", at=at)
    ConsentCode.objects.filter(purpose=purpose, subject=subject, used_at=None).update(expires_at=at)
    return ConsentCode.objects.create(
        phone_index=index,
        purpose=purpose,
        subject=subject,
        code_index=_digest(index, purpose, subject, code) if known else "",
        created_at=at,
        expires_at=at + LIFE,
    )


def _words(purpose: str) -> str:
    if purpose in _told_to_clerk:
        return _(
            "Your code is %(code)s, valid for 10 minutes, for %(what)s at the window. "
            "If you agree, tell it only to the clerk who is serving you."
        )
    return _(
        "Your code is %(code)s, valid for 10 minutes, for %(what)s. Tell it to nobody; our staff will never ask for it."
    )


def _refuse_too_many(phone_index: str, at: datetime.datetime) -> None:
    """Count in the outbox, not in the cache, which may be emptied; one count at a time for a telephone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [phone_index])
    mine = SmsOutbox.objects.filter(CODES, phone_index=phone_index, created_at__gt=at - DAY)
    last = mine.order_by("-id").first()
    if last is not None and at - last.created_at < PAUSE:
        raise Refused("code_too_soon", seconds=(PAUSE - (at - last.created_at)).seconds + 1)
    if mine.count() >= settings.SMS_CODES_A_DAY_AND_PHONE:
        raise Refused("too_many_codes", most=settings.SMS_CODES_A_DAY_AND_PHONE)


@transaction.atomic(durable=True)
def _count_try(phone_index: str, purpose: str, subject: str, at: datetime.datetime) -> ConsentCode | None:
    """Use up one try, and keep that whatever comes after."""
    code = (
        ConsentCode.objects.select_for_update()
        .filter(phone_index=phone_index, purpose=purpose, subject=subject, used_at=None)
        .order_by("-id")
        .first()
    )
    if code is None or code.expires_at <= at:
        return None
    if code.tries < MOST_TRIES:
        ConsentCode.objects.filter(pk=code.pk).update(tries=F("tries") + 1)
    return code


def confirm(*, phone: str, purpose: str, subject: str, code: str, at: datetime.datetime) -> None:
    """Use up the code. Raises Refused: no_phone, code_wrong (`left` tries, at least one), code_expired, code_used_up.

    Call it outside any transaction: a wrong try must count even if what follows is undone (RuntimeError otherwise).
    """
    if not phone:
        raise Refused("no_phone")
    index = blind_index(phone)
    held = _count_try(index, purpose, subject, at)
    if held is None:
        raise Refused("code_expired")
    if held.tries >= MOST_TRIES:
        raise Refused("code_used_up")
    if not held.code_index or not hmac.compare_digest(held.code_index, _digest(index, purpose, subject, code)):
        left = MOST_TRIES - held.tries - 1
        raise Refused("code_wrong", left=left) if left else Refused("code_used_up")
    # Two requests with the right code: one of them finds it used.
    if not ConsentCode.objects.filter(pk=held.pk, used_at=None).update(used_at=at):
        raise Refused("code_expired")


def _digest(phone_index: str, purpose: str, subject: str, code: str) -> str:
    return blind_index(f"{phone_index} {purpose} {subject} {code}")


def warn_over_budget(at: datetime.datetime) -> None:
    """Raise an alarm in the log once more text messages went out in a day than were meant to."""
    sent = SmsOutbox.objects.filter(created_at__gt=at - DAY).count()
    if sent > settings.SMS_BUDGET_A_DAY:
        log.error("ALARM: %s text messages in 24 hours, budget %s", sent, settings.SMS_BUDGET_A_DAY)
