"""Fields that no form has change nothing."""

import uuid
from decimal import Decimal
from typing import Any

from django.urls import reverse

from accounts import clock
from family.models import SharingApplication, SharingGrant
from tests.bad_input.support import send
from tests.family.support import make_rules
from tests.support.pages import fields


def extra(world) -> dict[str, Any]:
    """Whatever a sender might hope to set."""
    stranger = world[0].stranger
    return {
        "grantor": stranger.member.pk, "grantor_id": stranger.member.pk, "beneficiary": stranger.member.pk,
        "member": stranger.member.pk, "member_id": stranger.member.pk, "applicant": stranger.member.pk,
        "user": stranger.pk, "by": stranger.pk, "on_behalf_of": stranger.member.pk, "opened_by": stranger.pk,
        "checked_by": stranger.pk, "checked_at": "2026-01-01", "state": "granted", "status": "granted",
        "amount": "1000000", "current": "1000000", "historical": "1000000", "balance": "1", "debt": "1",
        "region": "110000", "channel": "window", "number": "X1", "case": "1", "consented_at": "2026-01-01",
        "consent_channel": "window", "committed_at": "2026-01-01", "starts_on": "2020-01-01", "ends_on": "2099-01-01",
        "bound_at": "2020-01-01", "paused_at": "2020-01-01", "role": "system_admin", "is_staff": "on",
        "is_superuser": "on", "identity_level": "3", "phone_verified": "on", "public_id": str(uuid.uuid4()), "pk": "1",
        "relation_id": "1", "uses_care": "", "uses_premium": "",
    }  # fmt: skip


def facts_of(row: Any, *but: str) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname not in but
    }


class TestExtraFields:
    def test_an_application(self, world, binding) -> None:
        people = world[0]
        send(binding, reverse("family:bind_terms"), extra(world) | {"limit": "500"})
        application = SharingApplication.objects.get(case__state="draft")
        address = reverse("family:check", args=[application.case.public_id])
        assert send(binding, address, extra(world) | {"agree": "on"}).status_code == 302
        application = SharingApplication.objects.select_related("case").get(pk=application.pk)
        case = application.case
        assert (application.grantor, application.beneficiary.name) == (people.holder.member, "沈某川")
        assert (application.limit, application.ends_on, application.uses_care) == (Decimal(500), None, True)
        assert (application.consented_at, application.committed_channel) == (None, "online")
        assert (case.state, case.region_id, case.channel) == ("consent", "310000", "online")
        assert (case.applicant, case.opened_by, case.checked_by) == (people.holder.member, people.holder, None)

    def test_terms_of_a_grant(self, world, member, grant_of_member) -> None:
        grant_of_member.refresh_from_db()
        before = facts_of(grant_of_member, "limit")
        address = reverse("family:adjust", args=[grant_of_member.public_id])
        assert send(member, address, extra(world) | {"limit": "75"}).status_code == 302
        grant_of_member.refresh_from_db()
        assert (facts_of(grant_of_member, "limit"), grant_of_member.limit) == (before, Decimal(75))

    def test_a_pause_and_an_end(self, world, member, grant_of_member) -> None:
        grant_of_member.refresh_from_db()
        changes = ("paused_at", "ends_on", "end_reason")
        before = facts_of(grant_of_member, *changes)
        public_id = [grant_of_member.public_id]
        send(member, reverse("family:pause", args=public_id), extra(world) | {"do": "pause"})
        send(member, reverse("family:end", args=public_id), extra(world))
        grant_of_member.refresh_from_db()
        assert facts_of(grant_of_member, *changes) == before
        assert (grant_of_member.paused_at.year, grant_of_member.ends_on) == (clock.now().year, clock.today())

    def test_one_s_own_login(self, world, member) -> None:
        user = world[0].holder
        user.refresh_from_db()
        changes = ("password", "password_set_at", "last_login")
        before = facts_of(user, *changes)
        new = {"password": "Another-leaf-2026", "again": "Another-leaf-2026"}
        assert send(member, reverse("accounts:password"), extra(world) | new).status_code == 302
        member.post(reverse("preferences:set"), extra(world) | {"next": "//evil.example/"})
        user.refresh_from_db()
        assert facts_of(user, *changes) == before
        assert not user.role_assignments.exists()

    def test_at_the_window(self, world, serving) -> None:
        case = world[1].case
        address = reverse("counter:amend", args=[case.public_id])
        assert send(serving, address, extra(world) | {"limit": "60"}).status_code == 302
        application = SharingApplication.objects.select_related("case").get(pk=world[1].pk)
        assert (application.limit, application.grantor, application.beneficiary) == (
            Decimal(60), world[0].holder.member, world[0].spouse.member,
        )  # fmt: skip
        assert (application.case.state, application.case.region_id, application.case.checked_by) == (
            "returned", "310000", None,
        )  # fmt: skip

    def test_a_second_check(self, world, clients, spouse) -> None:
        make_rules(world[0].region, review="all")
        address = reverse("family:invitation", args=[world[1].case.public_id])
        spouse.post(address, fields(spouse.get(address)) | extra(world) | {"answer": "agree"})
        address = reverse("counter:review", args=[world[1].case.public_id])
        send(clients["supervisor"], address, extra(world) | {"verdict": "approve"})
        grant = SharingGrant.objects.get(application=world[1])
        assert (grant.grantor, grant.beneficiary) == (world[0].holder.member, world[0].spouse.member)
        assert (grant.starts_on, grant.ends_on, grant.limit, grant.region_id) == (clock.today(), None, None, "310000")
        world[1].case.refresh_from_db()
        assert world[1].case.checked_by == world[0].supervisor
