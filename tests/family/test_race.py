"""Two connections at once: what no constraint can hold is held by the lock."""

import contextlib
import datetime
import threading

import pytest
from django.db import connection, transaction

from family import queries
from family.actions import grants, invitations, locks, sharing
from family.models import SharingApplication, SharingGrant
from tests.family.support import AT, make_rules
from tests.people import make_member, make_people
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def binding(grantor, child, relation="child"):
    return lambda: sharing.bind(grantor=grantor, beneficiary=child, relation=relation, at=AT)


@pytest.mark.parametrize("turn", range(5))
def test_two_grantors_want_the_one_place(turn) -> None:
    people = make_people()
    make_rules(people.region, max_grantors=1)
    outcomes = at_once(binding(people.holder.member, people.child), binding(people.spouse.member, people.child))

    assert outcomes == ["bound", "too_many_grantors"]
    assert SharingGrant.objects.count() == SharingApplication.objects.count() == 1


def test_without_the_lock_both_would_pass(monkeypatch) -> None:
    """The race is real: with the lock taken away, both count before either writes."""
    people = make_people()
    make_rules(people.region, max_grantors=1)
    both_have_counted = threading.Barrier(2)
    check = queries.check

    def slow_check(*args):
        findings = check(*args)
        if not any(f.code == "too_many_grantors" for f in findings):
            with contextlib.suppress(threading.BrokenBarrierError):
                both_have_counted.wait(3)
        return findings

    monkeypatch.setattr(locks, "lock_members", lambda *ids: None)
    monkeypatch.setattr(queries, "check", slow_check)
    outcomes = at_once(binding(people.holder.member, people.child), binding(people.spouse.member, people.child))
    assert outcomes == ["bound", "bound"]


def test_the_same_pair_twice() -> None:
    people = make_people()
    make_rules(people.region)
    outcomes = at_once(*[binding(people.holder.member, people.child)] * 3)

    assert outcomes == ["already_bound", "already_bound", "bound"]
    assert SharingGrant.objects.count() == 1


def test_two_who_bind_each_other_do_not_wait_for_ever() -> None:
    people = make_people()
    make_rules(people.region, verification_age=100)
    one, other = people.holder.member, people.spouse.member
    assert at_once(binding(one, other, "spouse"), binding(other, one, "spouse")) == ["bound", "mutual_binding"]


def test_one_grantor_and_his_last_place() -> None:
    people = make_people()
    make_rules(people.region, max_beneficiaries=1)
    second = make_member("方小苗", datetime.date(2020, 2, 2), insurance="resident")
    holder = people.holder.member
    assert at_once(binding(holder, people.child), binding(holder, second)) == ["bound", "too_many_relatives"]


def test_two_orders_at_once() -> None:
    people = make_people()
    make_rules(people.region)
    for grantor in (people.holder.member, people.spouse.member):
        sharing.bind(grantor=grantor, beneficiary=people.child, relation="child", at=AT)
    ids = list(SharingGrant.objects.order_by("id").values_list("pk", flat=True))

    def order(wanted):
        return lambda: (
            grants.reorder(beneficiary=people.child, grant_ids=wanted, version=0, by=people.clerk, at=AT).version
        )

    assert at_once(order(ids), order(ids[::-1])) == ["1", "stale_order"]


def test_a_consent_and_a_withdrawal_at_once() -> None:
    people = make_people()
    make_rules(people.region)
    sharing.bind(grantor=people.holder.member, beneficiary=people.spouse.member, relation="spouse", at=AT)

    def application():
        return SharingApplication.objects.select_related("case").get()

    first, second = application(), application()
    outcomes = at_once(
        lambda: invitations.consent(application=first, by=people.spouse, at=AT).case.state,
        lambda: sharing.withdraw(application=second, by=people.holder, at=AT).case.state,
    )
    assert outcomes in (["granted", "stale"], ["stale", "withdrawn"])
    assert SharingGrant.objects.exists() is ("granted" in outcomes)


def test_members_are_locked_in_the_order_of_their_ids() -> None:
    people = make_people()
    ids = sorted([people.holder.member_id, people.child.pk])
    statements = []
    with (
        transaction.atomic(),
        connection.execute_wrapper(lambda run, sql, *rest: (statements.append(sql), run(sql, *rest))[1]),
    ):
        locks.lock_members(*reversed(ids))
    assert len(statements) == 1
    assert statements[0].endswith("FOR NO KEY UPDATE")
    assert 'SELECT "accounts_member"."id"' in statements[0] and "ORDER BY 1 ASC" in statements[0]
