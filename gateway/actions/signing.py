"""9001 and 9002: an operator of an institution signs in for the day, and out."""

import datetime
import hmac
import secrets
from collections.abc import Mapping
from hashlib import md5
from typing import Any

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Institution
from gateway.errors import Rejected
from gateway.models import SignIn


def sign_in(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 9001: a new number, good until the day ends. Others of the institution, at other tills, stay good.

    Raises Rejected("node_missing"), Refused("sign_in_password"): the node of Guangzhou's dialect with a wrong password.
    """
    data = given["signIn"] or _by_password(institution, given["data"], at)
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


def _by_password(institution: Institution, data: Mapping[str, Any] | None, at: datetime.datetime) -> dict[str, Any]:
    """What Guangzhou's programs send: no machine, but a password over a time. The call is signed besides, and cannot come
    twice; so the time is only looked at as a part of the password."""
    if data is None:
        raise Rejected("node_missing", node="signIn")
    said = data["password"].lower().encode()
    for key in institution.gateway_keys.all():
        right = md5(f"{data['currenttime']}{key.secret}".encode(), usedforsecurity=False).hexdigest()
        if key.is_valid(at) and hmac.compare_digest(right.encode(), said):
            return {"opter_no": data["opter_no"], "mac": "", "ip": ""}
    raise Refused("sign_in_password")


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
