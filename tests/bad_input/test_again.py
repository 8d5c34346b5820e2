"""What is sent again, from another page with a token of its own, is done once."""

from django.urls import reverse

from accounts import clock
from accounts.models import Message
from casework.models import Case, CaseEvent
from family.models import DeductionOrder, SharingGrant
from tests.bad_input.support import send
from tests.family.support import make_rules
from tests.people import person
from tests.support.ledger import open_account
from tests.support.pages import fields
from tests.support.sharing import make_grant


class TestAgain:
    def test_submitted_twice(self, binding) -> None:
        send(binding, reverse("family:bind_terms"), {"limit": "500"})
        case = Case.objects.get(state="draft", kind="sharing")
        address = reverse("family:check", args=[case.public_id])
        pages = [fields(binding.get(address)) | {"agree": "on"} for _twice in range(2)]
        assert pages[0]["token"] != pages[1]["token"]
        for page in pages:
            assert binding.post(address, page, follow=True).status_code in (200, 422)
        assert CaseEvent.objects.filter(case=case, verb="submit").count() == 1

    def test_agreed_twice(self, world, spouse) -> None:
        make_rules(world[0].region)
        address = reverse("family:invitation", args=[world[1].case.public_id])
        pages = [fields(spouse.get(address)) | {"answer": answer} for answer in ("agree", "agree", "decline")]
        for page in pages:
            assert spouse.post(address, page, follow=True).status_code in (200, 422)
        assert SharingGrant.objects.filter(application=world[1]).count() == 1
        assert CaseEvent.objects.filter(case=world[1].case, verb="consent").count() == 1

    def test_ended_twice(self, member, grant_of_member) -> None:
        address = reverse("family:end", args=[grant_of_member.public_id])
        pages = [fields(member.get(address)) for _twice in range(2)]
        for page in pages:
            assert member.post(address, page, follow=True).status_code == 200
        grant_of_member.refresh_from_db()
        assert grant_of_member.ends_on == clock.today()
        assert Message.objects.filter(member=grant_of_member.grantor, kind__contains="end").count() <= 1

    def test_moved_with_an_old_version(self, world, spouse) -> None:
        people = world[0]
        make_rules(people.region)
        brother = person("方某山", people.spouse.member.birth, sex="M", region=people.region)
        for grantor in (people.holder, brother):
            make_grant(grantor.member, people.spouse.member)
        open_account(brother.member, people.region, 2026, "1", "1")
        second = list(SharingGrant.objects.filter(beneficiary=people.spouse.member).order_by("bound_at", "id"))[1]
        move = {"id": str(second.public_id), "version": "0", "move": "up"}
        answers = [spouse.post(reverse("family:order"), move).status_code for _thrice in range(3)]
        assert answers == [302, 422, 422]
        order = DeductionOrder.objects.get(pk=people.spouse.member.pk)
        assert (order.version, order.grant_ids[0]) == (1, second.pk)

    def test_approved_twice(self, world, clients, spouse) -> None:
        make_rules(world[0].region, review="all")
        address = reverse("family:invitation", args=[world[1].case.public_id])
        spouse.post(address, fields(spouse.get(address)) | {"answer": "agree"})
        world[1].case.refresh_from_db()
        assert world[1].case.state == "review"
        supervisor = clients["supervisor"]
        address = reverse("counter:review", args=[world[1].case.public_id])
        pages = [
            fields(supervisor.get(address)) | {"verdict": verdict, "reason": reason}
            for verdict, reason in (("approve", ""), ("approve", ""), ("refuse", "x"))
        ]
        answers = [supervisor.post(address, page).status_code for page in pages]
        assert answers == [302, 422, 422]
        assert SharingGrant.objects.filter(application=world[1]).count() == 1
        assert CaseEvent.objects.filter(case=world[1].case, verb="approve").count() == 1
