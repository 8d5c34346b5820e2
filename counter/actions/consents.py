"""What a clerk does with a member's money at the window: only as the member has agreed, and with a line that says how.

He agrees by a code sent to his telephone, or on signed paper; a telephone is never needed.
"""

import datetime
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actions import audit, codes
from accounts.enums import Channel
from accounts.masks import mask_name
from accounts.models import AuditEvent, Member, User
from accounts.policies import serves_himself
from accounts.queries import phone_of

PAPER, CODE = "paper", "code"
# What the text message says the code is for.
PURPOSES = {
    "premium_pay": _("paying a premium from your account or wallet"),
    "premium_order": _("having a premium debited at the month's end"),
    "premium_refund": _("having a premium given back"),
    "wallet_open": _("opening your wallet"),
    "wallet_pays": _("letting your wallet pay bills"),
    "wallet_pays_not": _("letting your wallet pay no more bills"),
    "wallet_accept": _("accepting a transfer into your wallet"),
    "wallet_send": _("transferring money out of your account or wallet"),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a member asks for at the window: one of PURPOSES, and its facts (JSON), to which his consent belongs."""

    act: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """A code told for one amount must not agree to another."""
        told = json.dumps(self.facts, sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()[:40]

    @property
    def purpose(self) -> str:
        """As the codes know it."""
        return f"window_{self.act}"


def register() -> None:
    """Called once when the app is ready."""
    for act, words in PURPOSES.items():
        codes.register_purpose(f"window_{act}", words, told_to_clerk=True)


def send_code(*, member: Member, asked: Asked, by: User, at: datetime.datetime) -> None:
    """Send the member a code by which he agrees to just this. Raises Refused: no_phone, code_too_soon, too_many_codes."""
    _refuse_own(by, member)
    codes.issue(phone=phone_of(member), purpose=asked.purpose, subject=f"{member.pk} {asked.subject}", at=at)


def carry_out(
    *,
    member: Member,
    asked: Asked,
    code: str,
    agent: str = "",
    reason: str,
    key: str,
    by: User,
    at: datetime.datetime,
    work: Callable[[], Any],
) -> Any:
    """Do `work` for a member who agreed: with the code sent to him, or without one on paper; the log says which.

    `agent`: who acts for him with a written authority. `reason`: for which his record is open. `key`: of the form; sent
    again it does the work again, which gives its first answer. Raises what the work raises, and Refused code_*. Call it
    outside any transaction, as codes count their tries.
    """
    _refuse_own(by, member)
    if code and not _done_before(member, asked, key):
        codes.confirm(
            phone=phone_of(member), purpose=asked.purpose, subject=f"{member.pk} {asked.subject}", code=code, at=at
        )
    how = {"consent": CODE if code else PAPER} | ({"agent": mask_name(agent)} if agent else {})
    with transaction.atomic():
        done = work()
        if not _done_before(member, asked, key):
            audit.record(
                action=asked.purpose,
                by=by,
                at=at,
                member=member,
                target=_form(key),
                reason=reason,
                details=dict(asked.facts) | how,
                on_behalf_of=member,
                channel=Channel.WINDOW,
            )
    return done


def _done_before(member: Member, asked: Asked, key: str) -> bool:
    return AuditEvent.objects.filter(member_id=member.pk, action=asked.purpose, target=_form(key)).exists()


def _form(key: str) -> str:
    return f"form {hashlib.sha256(key.encode()).hexdigest()[:20]}"


def _refuse_own(by: User, member: Member) -> None:
    if serves_himself(by, member.pk):
        raise PermissionDenied
