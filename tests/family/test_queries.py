import datetime

import pytest

from accounts.enums import Role
from accounts.models import Enrolment
from family import queries
from family.actions import invitations, sharing
from family.domain.check import Person
from family.models import SharingApplication, SharingGrant
from family.models import SharingRules as Row
from tests.family.support import AT, DAY, RULES, TODAY, may_pay
from tests.people import make_member, make_region, make_staff


def test_rules_by_day(people, rules) -> None:
    first = rules()
    change = datetime.date(2026, 7, 1)
    first.valid_to = change
    first.save()
    Row.objects.create(region=people.region, valid_from=change, data={**RULES, "mutual": True})

    assert queries.rules_on("310000", datetime.date(2019, 12, 31)) is None
    assert queries.rules_on("310000", change - DAY).mutual is False
    assert queries.rules_on("310000", change).mutual is True
    assert queries.rules_on("999999", change) is None


def test_a_corrected_row_is_read_at_once(people, rules) -> None:
    row = rules()
    assert queries.rules_on("310000", TODAY).consent_days == 30
    Row.objects.filter(pk=row.pk).update(data={**RULES, "consent_days": 7})
    assert queries.rules_on("310000", TODAY).consent_days == 7


def test_facts(people, rules) -> None:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)

    facts = queries.facts_for(people.holder.member, people.child, "child", TODAY)
    assert facts.grantor == Person(
        birth=people.holder.member.birth, sex="F", insurance="employee", status="normal", region="310000"
    )
    assert (facts.bound, facts.applied, facts.relatives, facts.grantors) == (True, False, {"child": 1}, 1)
    spouse = queries.facts_for(people.holder.member, people.spouse.member, "spouse", TODAY)
    assert (spouse.bound, spouse.applied, spouse.grantors) == (False, True, 0)
    back = queries.facts_for(people.child, people.holder.member, "parent", TODAY)
    assert (back.bound, back.bound_the_other_way, back.relatives) == (False, True, {})


def test_the_facts_are_those_of_the_day(people, rules) -> None:
    rules()
    member = people.stranger.member
    member.enrolments.update(valid_to=TODAY)
    Enrolment.objects.create(
        member=member, region=make_region("110000"), insurance="employee", status="suspended", valid_from=TODAY
    )

    def person(on: datetime.date) -> Person:
        return queries.facts_for(people.holder.member, member, "sibling", on).beneficiary

    assert (person(TODAY - DAY).region, person(TODAY - DAY).status) == ("310000", "normal")
    assert (person(TODAY).region, person(TODAY).status) == ("110000", "suspended")
    assert person(datetime.date(2019, 1, 1)).insurance is None


def test_facts_cost_the_same_for_any_number_of_relatives(people, rules, django_assert_num_queries) -> None:
    rules()

    def children(*numbers: int) -> None:
        for n in numbers:
            child = make_member(f"方小{n}", datetime.date(2016, 1, n), insurance="resident")
            sharing.bind(grantor=people.holder.member, beneficiary=child, relation="child", at=AT)

    for numbers in ((1,), (2, 3)):
        children(*numbers)
        with django_assert_num_queries(3):
            queries.facts_for(people.holder.member, people.spouse.member, "spouse", TODAY)


def test_only_the_grants_of_the_two_are_read(people, rules, django_assert_num_queries) -> None:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)

    with django_assert_num_queries(3) as asked:
        facts = queries.facts_for(people.spouse.member, people.stranger.member, "spouse", TODAY)
    assert (facts.bound, facts.relatives, facts.grantors) == (False, {}, 0)
    grants = [query["sql"] for query in asked.captured_queries if "family_sharinggrant" in query["sql"]]
    assert all(f'"grantor_id" = {people.spouse.member.pk}' in sql for sql in grants)
    assert len(grants) == 1


def test_grants_to_order_are_those_for_care(people, rules) -> None:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)
    sharing.bind(grantor=people.spouse.member, beneficiary=people.child, relation="child", at=AT)
    assert [grant.grantor.name for grant in may_pay(people.child.pk, TODAY)] == ["沈某宁", "方某"]
    SharingGrant.objects.filter(grantor=people.holder.member).update(uses_care=False)
    assert [grant.grantor.name for grant in may_pay(people.child.pk, TODAY)] == ["方某"]
    assert queries.whom_shares(people.holder.member, TODAY).get().uses_premium is True


@pytest.fixture
def invited(people, rules) -> SharingApplication:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)
    return SharingApplication.objects.get()


def test_who_sees_an_application_and_a_grant(people, invited) -> None:
    elsewhere = make_staff(Role.CLERK, region=make_region("110000"))
    invitations.consent(application=invited, by=people.spouse, at=AT)
    everybody = {**vars(people), "elsewhere": elsewhere}
    logins = {name: user for name, user in everybody.items() if hasattr(user, "identity_level")}

    for visible in (queries.applications_visible_to, queries.grants_visible_to):
        assert {name for name, user in logins.items() if visible(user).exists()} == {
            "holder",
            "spouse",
            "clerk",
            "supervisor",
        }


def test_invitations(people, invited) -> None:
    assert list(queries.invitations_to(people.spouse.member)) == [invited]
    assert list(queries.invitations_to(people.holder.member)) == []
    assert list(queries.lapsed_invitations(TODAY + 30 * DAY)) == []
    assert list(queries.lapsed_invitations(TODAY + 31 * DAY)) == [invited]


def test_who_shares_with_whom(people, rules) -> None:
    rules()
    sharing.bind(grantor=people.holder.member, beneficiary=people.child, relation="child", at=AT)
    grant = SharingGrant.objects.get()
    assert list(queries.who_shares_with(people.child, TODAY)) == [grant]
    assert list(queries.whom_shares(people.holder.member, TODAY)) == [grant]
    assert list(queries.whom_shares(people.child, TODAY)) == []
    assert list(queries.who_shares_with(people.child, TODAY - DAY)) == []


def test_the_text_of_a_day(people) -> None:
    assert queries.commitment_on(datetime.date(2021, 4, 21)) is None
    commitment = queries.commitment_on(TODAY)
    assert len(commitment.text_zh.splitlines()) == len(commitment.text_en.splitlines()) == 6
