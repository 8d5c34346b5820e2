"""9001 and 9002: an operator of an institution signs in for the day, and out."""

import datetime
import secrets
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Institution
from gateway.models import SignIn


def sign_in(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 9001: a new number, good until the day ends. Others of the institution, at other tills, stay good."""
    data = given["signIn"]
    signed = SignIn.objects.create(
        institution=institution,
        sign_no=secrets.token_hex(15),
        operator=data["opter_no"],
        mac=data["mac"],
        ip=data["ip"],
        signed_in_at=at,
        expires_at=_end_of_day(at),
    )
    return {"signinoutb": {"sign_time": at, "sign_no": signed.sign_no}}


def sign_out(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 9002. Raises Refused("sign_no_unknown"): no sign-in of this operator that still holds."""
    data = given["signOut"]
    held = SignIn.objects.filter(
        institution=institution,
        sign_no=data["sign_no"],
        operator=data["opter_no"],
        signed_out_at=None,
        expires_at__gt=at,
    )
    if not held.update(signed_out_at=at):
        raise Refused("sign_no_unknown")
    return {"signoutoutb": {"sign_time": at}}


def _end_of_day(at: datetime.datetime) -> datetime.datetime:
    """The midnight after a moment, by the country's clock."""
    tomorrow = timezone.localdate(at) + datetime.timedelta(days=1)
    return timezone.make_aware(datetime.datetime.combine(tomorrow, datetime.time.min))
