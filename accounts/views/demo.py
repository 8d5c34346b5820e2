"""Only in the demo: what was sent as text messages, the codes of the staff's second factors, what other apps add."""

import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import clock
from accounts.models import SmsOutbox
from accounts.policies import in_force
from accounts.wording import Text

PERIOD_SECONDS = 30
MOST = 50
# Title, and what gives the rows: `what` (with `url` a link), `values` to copy, `note`.
Rows = Callable[[], list[dict[str, Any]]]
_sections: dict[str, tuple[int, Text, Rows]] = {}


def register(key: str, title: Text, rows: Rows, order: int = 100) -> None:
    """A section that another app adds to the page; its title is a lazy text. The last one with a key wins."""
    _sections[key] = (order, title, rows)


@login_not_required
def page(request: HttpRequest) -> HttpResponse:
    """The newest text messages and the present codes. This URL does not exist where settings.DEMO is false."""
    counter, used = divmod(int(time.time()), PERIOD_SECONDS)
    staff = []
    for authenticator in (
        Authenticator.objects.filter(type="totp").select_related("user").order_by("user__username")[:MOST]
    ):
        code = format_hotp_value(hotp_value(decrypt(authenticator.data["secret"]), counter))
        # A role held in four regions is one line.
        held = authenticator.user.role_assignments.filter(in_force(clock.today())).order_by("id")
        roles = list(dict.fromkeys(one.get_role_display() for one in held))
        staff.append({"user": authenticator.user, "code": code, "roles": roles})
    context = {"staff": staff, "seconds": PERIOD_SECONDS - used, "texts": SmsOutbox.objects.order_by("-id")[:MOST]}
    known = sorted(_sections.items(), key=lambda section: section[1][0])
    context["sections"] = [{"key": key, "title": title, "rows": rows()} for key, (_order, title, rows) in known]
    return render(request, "accounts/demo.html", context)
