"""At the window: a bill of an institution that was settled anew is found, its reversal asked for, checked and told."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import AuditEvent, User
from accounts.once import new_token
from settlements.models import BillReversal, Reimbursement, Settlement
from tests.people import make_staff
from tests.settlements.scene import Scene, bill, make_scene
from tests.settlements.test_bills_settled_anew_go_back import BACK, BANK, REASON, for_less, rich
from tests.settlements.test_recalculation import ON, at
from tests.support.pages import english, fields

pytestmark = pytest.mark.django_db


def serving(scene: Scene, patient: User) -> Client:
    """A clerk with the record open."""
    client = english(make_staff("clerk", region=scene.region))
    opening = {"number": patient.member.id_number, "reason": "correction"}
    assert client.post("/counter/", fields(client.get("/counter/")) | opening).status_code == 302
    return client


def test_from_the_year_s_bills_to_the_member_s_page() -> None:
    scene = make_scene(on=ON, historical="300.00", current="0.00", father_current="60.00", father_historical="40.00")
    with clock.standing(at(BACK)):
        found = for_less(scene)
        clerk, judge = serving(scene, scene.father), english(make_staff("supervisor", region=scene.region))
        page = reverse("counter:bill", args=[found.last.public_id])
        assert page in clerk.get(reverse("counter:recalculate")).content.decode()
        shown = clerk.get(reverse("counter:bill", args=[found.public_id])).content.decode()
        assert found.number in shown and found.last.number in shown and "Who paid how much" in shown
        assert AuditEvent.objects.filter(target=f"bill {found.number}", member_id=scene.father.member.pk).exists()

        sent = fields(clerk.get(page))
        empty = clerk.post(page, sent)
        assert empty.status_code == 422
        for wrong in ("Write why it is to be reversed", "Enter the name of the bank", "8 to 32 digits"):
            assert wrong in empty.content.decode(), wrong
        for _ in range(2):
            assert clerk.post(page, sent | {"why": REASON} | BANK).status_code == 302
        asked = BillReversal.objects.get()
        shown = clerk.get(page).content.decode()
        assert asked.case.number in shown and "Reverse it" not in shown
        late = clerk.post(page, {"token": new_token(), "why": REASON} | BANK)
        assert late.status_code == 422 and "waits for its second check already" in late.content.decode()

        case = reverse("counter:case", args=[asked.case.public_id])
        assert "The institution gives the patient back" in clerk.get(case).content.decode()
        printed = clerk.post(
            reverse("counter:bill_paper", args=[asked.case.public_id]), fields(clerk.get(case)) | {"paper": "A4"}
        )
        assert printed.content.startswith(b"%PDF-")
        mine = reverse("settlements:reversal", args=[asked.case.public_id])
        member = english(scene.father)
        assert "nothing has changed yet" in member.get(mine, follow=True).content.decode()

        review = reverse("counter:review", args=[asked.case.public_id])
        shown = judge.get(review).content.decode()
        assert REASON in shown and "go to his bank account" in shown and "is taken off its clearing" in shown
        assert judge.post(review, fields(judge.get(review)) | {"verdict": "approve"}).status_code == 302
        assert Settlement.objects.get(pk=found.last.pk).reversed_on == BACK
        told = member.get(mine, follow=True).content.decode()
        amount = Reimbursement.objects.get(case=asked.case).amount
        assert f"{amount} yuan go to your bank account" in told and REASON in told
        assert "Reverse it" not in clerk.get(page).content.decode()
        assert "Reversed on" in clerk.get(case).content.decode()


def test_a_bill_that_was_not_settled_anew_goes_back_at_the_till() -> None:
    scene = rich()
    day = ON + datetime.timedelta(days=1)
    with clock.standing(at(day)):
        plain = bill(scene, in_scope="90.00", self_paid="0.00", on=ON)
        clerk, page = serving(scene, scene.father), reverse("counter:bill", args=[plain.public_id])
        shown = clerk.get(page).content.decode()
        assert "the institution reverses it at its own till" in shown and "Reverse it" not in shown
        refused = clerk.post(page, {"token": new_token(), "why": REASON})
        assert refused.status_code == 422 and "was not settled anew" in refused.content.decode()
        others = bill(scene, scene.daughter, in_scope="90.00", on=ON)
        assert clerk.get(reverse("counter:bill", args=[others.public_id])).status_code == 404
