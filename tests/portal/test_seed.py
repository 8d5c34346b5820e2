"""The demo population, small: it adds up, every stage of the workflow is there, and a second call leaves it alone."""

import datetime
import io
import itertools

import pytest
from django.core.management import CommandError, call_command

from accounts import clock
from accounts.crypto import blind_index
from accounts.domain import id_number
from accounts.models import Institution, Member, Region, SmsOutbox, User
from casework.models import Case
from family.models import SharingGrant
from family.queries import who_shares_with
from gateway.models import Difference
from portal import demo
from portal.seeding import cases, cast, paying, plan, recalculation, scale, staff, year
from portal.seeding.families import SHARES
from settlements.domain.wallet import in_hours
from settlements.enums import RunState
from settlements.ledger.checks import run_checks
from settlements.models import (
    BillReversal,
    CatalogueFile,
    CatalogueItem,
    Claim,
    ContributionFile,
    Entry,
    LedgerTransaction,
    PersonalAccount,
    Recalculation,
    Reimbursement,
    RolloverRun,
    Settlement,
    Trial,
    WalletTransfer,
)
from tests.settlements.scene import bill, make_scene

MEMBERS = 60
STAGES = {"draft", "consent", "review", "returned", "refused", "withdrawn", "expired", "granted"}
START, TODAY = datetime.date(2025, 11, 1), datetime.date(2026, 11, 21)


def seed(**options: object) -> str:
    out = io.StringIO()
    call_command("seed", stdout=out, **options)
    return out.getvalue()


def member_of(who: tuple[str, str]) -> Member:
    return Member.objects.get(id_number_index=blind_index(who[1]))


@pytest.mark.django_db(transaction=True)
def test_a_small_population_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    said = seed(members=MEMBERS, processes=2)

    assert "done" in said
    # What is wrong on purpose is told on its page; on the terminal it would look as if the demo had failed.
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
    assert [finding.check.name for finding in run_checks(clock.today()) if finding.count] == []
    assert MEMBERS <= Member.objects.count() < MEMBERS + 6
    assert set(Case.objects.values_list("state", flat=True)) == STAGES
    _movements_stand_in_the_order_of_their_days()
    _every_region_has_its_people_and_places()
    _bills_are_shared_and_reversed()
    _year_ends_are_closed_and_one_waits()
    _everybody_printed_can_log_in()
    _every_way_of_money_has_its_examples()
    assert not SmsOutbox.objects.filter(state=SmsOutbox.State.WAITING).exists()

    counts = [model.objects.count() for model in (Member, Settlement, LedgerTransaction, Case)]
    assert "already" in seed(if_empty=True, members=MEMBERS)
    with pytest.raises(CommandError, match="fresh"):
        seed(members=MEMBERS)
    assert counts == [model.objects.count() for model in (Member, Settlement, LedgerTransaction, Case)]
    _many_more_are_copied()


def _movements_stand_in_the_order_of_their_days() -> None:
    entries = Entry.objects.order_by("account", "version").values_list("account", "version", "business_date", "kind")
    backwards = [
        (before, after)
        for before, after in itertools.pairwise(entries)
        if before[0] == after[0] and before[2] > after[2]
    ]
    assert backwards == []


def _every_region_has_its_people_and_places() -> None:
    assert set(SHARES) == set(PersonalAccount.objects.values_list("region", flat=True))
    for region in Region.objects.all():
        levels = set(Institution.objects.filter(region=region).values_list("level", flat=True))
        assert levels == set(region.data["levels"])
        assert CatalogueItem.objects.filter(region=region, code="XA10BAD001", item_class="A").exists()


def _bills_are_shared_and_reversed() -> None:
    assert Settlement.objects.filter(shared__gt=0).count() > 20
    assert Settlement.objects.filter(kind="outpatient", fund__gt=0).exists()
    assert Settlement.objects.exclude(reversed_on=None).exists()
    assert not LedgerTransaction.objects.exclude(refused="").exists()
    assert SharingGrant.objects.filter(limit__gt=0).exists()
    assert who_shares_with(member_of(cast.ORDERS), clock.today()).count() == 3


def _every_way_of_money_has_its_examples() -> None:
    """What the lists of members, clerks, supervisors and administrators show."""
    assert set(Claim.objects.values_list("case__state", flat=True)) == {"review", "returned", "refused", "granted"}
    assert {row.done_on is None for row in Reimbursement.objects.all()} == {True, False}
    assert {"accepted", "returned"} <= set(WalletTransfer.objects.values_list("state", flat=True))
    assert set(ContributionFile.objects.values_list("state", flat=True)) == {"faulty", "ready"}
    assert list(CatalogueFile.objects.values_list("state", flat=True)) == ["ready"]
    assert list(Trial.objects.values_list("state", "draft__state")) == [("done", "draft")]
    assert set(Difference.objects.values_list("kind", flat=True)) == {"amounts", "missing_there"}


def _year_ends_are_closed_and_one_waits() -> None:
    first = year.first_day(clock.today())
    passed = Region.objects.filter(
        pk__in=SHARES, benefit_years__starts_on__gt=first, benefit_years__starts_on__lte=clock.today()
    ).count()
    runs = RolloverRun.objects.all()
    assert runs.filter(state=RunState.CLOSED).count() == passed
    assert runs.get(state=RunState.REHEARSED).region_id == year.WAITS_FOR_RELEASE


def _everybody_printed_can_log_in() -> None:
    for _role, login, password, note in demo.logins():
        if not password:
            continue
        user = User.objects.filter(username=login).first() or member_of((note, login)).user
        assert user.check_password(password)
        assert not user.is_staff or user.authenticator_set.filter(type="totp").exists()


def _many_more_are_copied() -> None:
    before = PersonalAccount.objects.count()
    scale.copy(300, 1, clock.today().replace(day=1), 2, lambda text: None)
    assert PersonalAccount.objects.count() == before + 300
    newest = Member.objects.latest("pk")
    assert id_number.parse(newest.id_number, on=clock.today()) == newest.id_number
    assert [finding.check.name for finding in run_checks(clock.today()) if finding.count] == []


@pytest.mark.django_db
def test_of_two_years_settled_anew_one_waits_and_one_has_a_bill_that_is_to_be_undone() -> None:
    """Among few people nobody has two such bills: what `make demo` shows is tried on two who have."""
    scene = make_scene(current="0.00")
    staff.make(cases.at(clock.today(), 8))
    for patient in (scene.father, scene.daughter):
        for in_scope in ("900.00", "1100.00"):
            bill(scene, patient, in_scope=in_scope)
    recalculation.make(clock.now())
    assert set(Recalculation.objects.values_list("case__state", "member")) == {
        ("review", scene.father.member_id),
        ("granted", scene.daughter.member_id),
    }
    asked = BillReversal.objects.get()
    assert (asked.case.state, asked.patient, asked.settlement.reversed_on) == ("review", scene.daughter.member, None)


def test_transfers_of_the_demo_are_made_while_they_are_taken_at_whatever_hour_it_is_filled() -> None:
    midnight = cases.at(TODAY, 0)
    for quarter in range(4 * 24):
        sent = paying.in_time(midnight + quarter * datetime.timedelta(minutes=15))
        assert in_hours(sent) and in_hours(paying.in_time(sent - paying.HALF_AN_HOUR))


def test_the_same_seed_gives_the_same_people() -> None:
    def names(seed: int) -> list[str]:
        return [person.id_number for family in plan.families(80, seed, START, TODAY) for person in family.people]

    assert names(1) == names(1) != names(2)
    assert len(set(names(1))) == len(names(1))
    assert all(id_number.parse(number, on=TODAY) == number for number in names(1))


def test_who_is_printed_is_told_where_the_codes_are() -> None:
    rows = demo.logins()
    assert {login for _role, login, _password, _note in rows} >= {staff.SYSTEM_ADMIN[0], "w3101", cast.MEMBER[1]}
    assert all("/demo/" in note for _role, login, _password, note in rows if login[0] in "aswr")
