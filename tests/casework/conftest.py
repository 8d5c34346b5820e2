import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import gettext_lazy as _

from accounts.enums import Channel
from accounts.errors import Refused
from casework import kinds
from casework.actions import cases

AT = datetime.datetime(2026, 11, 20, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Friday


class Errand:
    """A kind of case that writes down what it is asked, and refuses where a test tells it to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.refuse_check = self.refuse_grant = False
        self.about: list[int] = []

    def on_review_check(self, *, case, by, at) -> None:
        self.calls.append(("check", case.state))
        if self.refuse_check:
            raise Refused("too_many_relatives", most=1)

    def on_granted(self, *, case, by, at) -> None:
        self.calls.append(("granted", case.state))
        if self.refuse_grant:
            raise Refused("suspended")

    def on_moved(self, *, case, verb, from_state, by, at) -> None:
        self.calls.append((verb, from_state, case.state))

    def parties(self, case) -> list[int]:
        return [case.applicant_id, *self.about]


@pytest.fixture
def errand():
    made = Errand()
    kinds.register(
        kinds.Kind(
            code="errand",
            title=_("Cases"),
            url_name="x",
            on_review_check=made.on_review_check,
            on_granted=made.on_granted,
            on_moved=made.on_moved,
            parties=made.parties,
        )
    )
    yield made
    kinds._kinds.pop("errand")


@pytest.fixture
def open_errand(people, errand):
    """Open a case: by the clerk at the window, or by the holder online."""

    def opened(by=None, role="clerk"):
        return cases.open_case(
            kind="errand",
            applicant=people.holder.member,
            region=people.region,
            by=by or people.clerk,
            role=role,
            at=AT,
            channel=Channel.WINDOW if role == "clerk" else Channel.ONLINE,
        )

    return opened
