"""What the relative who is asked answers to an application, himself or at a window; and invitations nobody answers."""

import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import codes
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import User
from accounts.queries import phone_of
from casework.actions import cases
from casework.domain.states import CLERK, RELATIVE, SYSTEM
from family.actions.locks import lock_and_check, lock_application
from family.domain.check import review_needed
from family.models import SharingApplication
from family.policies import is_verified, role_for_consent

PURPOSE = "sharing_consent"


def send_code(*, application: SharingApplication, by: User, at: datetime.datetime) -> None:
    """Send the relative a code by which a clerk can record the consent. Raises Refused (no_phone, code_too_soon,
    too_many_codes, not_in_this_state, own_case) and PermissionDenied."""
    cases.refuse_own(by, application.grantor_id, application.beneficiary_id)
    if role_for_consent(by, application) != CLERK:
        raise PermissionDenied
    if application.case.state != "consent":
        raise Refused("not_in_this_state", state=application.case.state, verb="consent")
    codes.issue(phone=phone_of(application.beneficiary), purpose=PURPOSE, subject=_code_subject(application), at=at)


def _code_subject(application: SharingApplication) -> str:
    """The case as it is now: a code told for one set of terms must not agree to terms changed since."""
    return f"{application.case.number} {application.case.version}"


def consent(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    code: str = "",
    version: int | None = None,
) -> SharingApplication:
    """The relative agrees: in his own login, or at a window with the code sent to his telephone.

    Without a code a clerk records a consent on paper, and a second person looks at it whatever the region's rule says.
    Raises Refused: a code of `family.domain.check`, needs_verification, code_*, no_phone, stale, not_in_this_state
    (also when it has lapsed); and PermissionDenied. With a code it must be called outside any transaction.
    """
    cases.refuse_own(by, application.grantor_id, application.beneficiary_id)
    role = role_for_consent(by, application)
    if role is None:
        raise PermissionDenied
    if role == RELATIVE and not is_verified(by):
        raise Refused("needs_verification")
    if role == CLERK and code:
        phone = phone_of(application.beneficiary)
        codes.confirm(phone=phone, purpose=PURPOSE, subject=_code_subject(application), code=code, at=at)
    on_paper = role == CLERK and not code
    return _consent(application, role, on_paper, by=by, at=at, channel=channel, version=version)


@transaction.atomic
def _consent(
    application: SharingApplication,
    role: str,
    on_paper: bool,
    *,
    by: User,
    at: datetime.datetime,
    channel: str,
    version: int | None,
) -> SharingApplication:
    case, application = lock_application(application, "consent", version)
    on = timezone.localdate(at)
    if application.consent_until is not None and on > application.consent_until:
        raise Refused("not_in_this_state", state="expired", verb="consent")
    rules, _ = lock_and_check(application, on)
    state = "review" if on_paper or review_needed(rules, case.channel, channel) else "granted"
    application.consented_at, application.consent_channel = at, channel
    application.save(update_fields=["consented_at", "consent_channel"])
    note = "paper" if on_paper else ""
    application.case = cases.move(
        case=case, verb="consent", by=by, role=role, at=at, to=state, note=note, channel=channel
    )
    return application


@transaction.atomic
def decline(
    *,
    application: SharingApplication,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    version: int | None = None,
) -> SharingApplication:
    """The relative does not agree, and the application is refused.

    Raises Refused (stale, not_in_this_state) and PermissionDenied.
    """
    case, application = lock_application(application, "decline", version)
    role = role_for_consent(by, application)
    if role is None:
        raise PermissionDenied
    application.declined_at = at
    application.save(update_fields=["declined_at"])
    application.case = cases.move(case=case, verb="decline", by=by, role=role, at=at, channel=channel)
    return application


@transaction.atomic
def expire(*, application: SharingApplication, at: datetime.datetime) -> SharingApplication:
    """An invitation that nobody answered lapses. Raises Refused (not_in_this_state) while its days are not over."""
    case, application = lock_application(application, "expire", None)
    until = application.consent_until
    if until is None or timezone.localdate(at) <= until:
        raise Refused("not_in_this_state", state=case.state, verb="expire")
    application.case = cases.move(case=case, verb="expire", by=None, role=SYSTEM, at=at, channel=Channel.SYSTEM)
    return application
