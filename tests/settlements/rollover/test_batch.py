"""One chunk: what it does to a population in use."""

import datetime
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction

from settlements.actions import rollover, rollover_work
from settlements.ledger import balances, batch
from settlements.ledger.rolling import roll
from settlements.models import Entry, LedgerTransaction, PersonalAccount, RolloverChunk, RolloverRun
from tests.people import make_member, make_region
from tests.settlements.rollover.world import (
    BOUNDARY,
    FIRST_DAY,
    YEAR,
    at,
    faults,
    release_run,
    state_of,
    work_to_the_end,
    yuan,
)
from tests.support.ledger import move, open_account

NEXT_WEEK = BOUNDARY + datetime.timedelta(days=7)


@pytest.fixture
def region(db):
    return make_region()


def rollovers(account: PersonalAccount, year: int = YEAR) -> list[Entry]:
    return list(Entry.objects.filter(account=account, kind="rollover", benefit_year=year))


def test_an_untouched_account_gets_what_its_balance_already_showed(region):
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    shown = balances([account.pk], BOUNDARY)[account.pk]

    work_to_the_end(run)

    # 36500 x 0.35 % / 360 + 18250 x 1.35 % / 360 = 0.3549 + 0.6844
    assert state_of(account) == (2026, yuan("0.00"), yuan("151.04"), yuan("0.00"))
    assert (shown.benefit_year, shown.current, shown.historical, shown.debt) == state_of(account)
    roll_entry, interest = Entry.objects.filter(account=account, version__gt=1).order_by("version")
    assert (roll_entry.current_products, roll_entry.historical_products) == (yuan("36500.00"), yuan("18250.00"))
    assert (interest.historical_delta, interest.contra, interest.contra_id) == (yuan("1.04"), "interest", run.pk)
    assert faults() == []


def test_no_interest_entry_where_interest_is_nothing(region):
    account = open_account(make_member(), region, YEAR, "0.01")
    work_to_the_end(release_run(region))
    assert list(account.entries.order_by("version").values_list("kind", flat=True)) == ["opening", "rollover"]
    assert faults() == []


def test_each_visit_of_a_chunk_is_one_transaction_of_the_ledger(region):
    open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    work_to_the_end(run)
    visit = LedgerTransaction.objects.get(scope="rollover")
    assert (visit.key, visit.kind, visit.business_date) == (f"{run.pk}:1:1:0:{YEAR}", "rollover", BOUNDARY)
    assert visit.answer == {"accounts": 1, "moved": "100.00", "netted": "0.00", "interest": "1.04"}


def test_an_account_that_a_movement_rolled_is_not_touched(region):
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    with transaction.atomic():
        roll(account.pk, NEXT_WEEK)
    before = state_of(account)

    (visit,) = work_to_the_end(run)

    assert (visit.accounts, visit.moved, visit.done) == (0, 0, True)
    assert state_of(account) == before
    assert len(rollovers(account)) == 1
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["otherwise"]["accounts"], run.totals["batch"]["accounts"]) == ("reconciled", 1, 0)


def test_debt_takes_from_the_balance_first_and_a_rest_stays_debt(region):
    small = open_account(make_member(), region, YEAR, "100.00", "0.00", "30.00", on=datetime.date(2026, 6, 30))
    deep = open_account(make_member(), region, YEAR, "10.00", "20.00", "100.00", on=datetime.date(2026, 6, 30))
    run = release_run(region)
    (visit,) = work_to_the_end(run)
    assert state_of(small) == (2026, yuan("0.00"), yuan("70.00"), yuan("0.00"))
    assert state_of(deep) == (2026, yuan("0.00"), yuan("0.00"), yuan("70.00"))
    assert (visit.moved, visit.netted, visit.interest) == (yuan("110.00"), yuan("60.00"), 0)
    assert faults() == []


def test_interest_pays_a_debt_that_is_left(region):
    account = open_account(make_member(), region, YEAR, "0.00", "36000.00")
    move(account, datetime.date(2026, 6, 30), historical=yuan("-36000.00"), debt=yuan("100.00"), kind="clearing")
    (visit,) = work_to_the_end(release_run(region))
    # 36000 x 364 days x 1.35 % / 360 = 491.40, of which 100.00 pays the debt
    assert state_of(account) == (2026, yuan("0.00"), yuan("391.40"), yuan("0.00"))
    assert (visit.netted, visit.interest) == (yuan("100.00"), yuan("491.40"))
    assert faults() == []


def test_two_years_behind_is_rolled_year_by_year_each_with_its_rates(region):
    account = open_account(make_member(), region, 2024, "1000.00", "0.00")
    earlier = release_run(region, 2024, rates=(yuan("3.60"), yuan("0.00")))
    run = release_run(region, 2025, rates=(yuan("0.00"), yuan("7.20")))
    (visit,) = work_to_the_end(run)
    # 2024: 1000 x 365 x 3.6 % / 360 = 36.50; 2025: 1036.50 x 365 x 7.2 % / 360 = 75.66 (75.6645)
    assert state_of(account) == (2026, yuan("0.00"), yuan("1112.16"), yuan("0.00"))
    assert (visit.accounts, visit.moved, visit.interest) == (1, 0, yuan("75.66"))
    interests = Entry.objects.filter(account=account, kind="interest").order_by("version")
    assert [(entry.contra_id, entry.historical_delta) for entry in interests] == [
        (earlier.pk, yuan("36.50")),
        (run.pk, yuan("75.66")),
    ]
    assert faults() == []


def test_without_a_released_run_nobody_gets_interest_and_the_products_are_kept(region):
    account = open_account(make_member(), region, 2024, "100.00", "0.00")
    work_to_the_end(release_run(region, 2025, rates=(yuan("0"), yuan("0"))))
    assert [entry.current_products for entry in rollovers(account, 2024)] == [yuan("36500.00")]
    assert state_of(account) == (2026, yuan("0.00"), yuan("100.00"), yuan("0.00"))


def test_a_second_visit_of_a_done_chunk_does_nothing(region):
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    work_to_the_end(run)
    before = state_of(account)
    visit = batch.roll_chunk(run.chunks.get().pk)
    assert (visit.accounts, visit.left) == (0, 0)
    assert state_of(account) == before
    assert run.chunks.get().moved == yuan("100.00")
    assert faults() == []


def test_the_same_visit_twice_is_refused_by_its_key(region):
    """As if what the first one did to the chunk and to the account had been lost, and not what it wrote."""
    account = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))
    batch.roll_chunk(run.chunks.get().pk)
    run.chunks.update(visits=0, accounts=0)
    PersonalAccount.objects.filter(pk=account.pk).update(benefit_year=YEAR)
    with pytest.raises(IntegrityError, match="transaction_key_once"), transaction.atomic():
        batch.roll_chunk(run.chunks.get().pk)


def test_chunks_hold_so_many_accounts_wherever_their_ids_lie(region, settings):
    settings.ROLLOVER_CHUNK_SIZE = 3
    elsewhere = make_region("110000")
    accounts = []
    for _ in range(7):
        accounts.append(open_account(make_member(), region, YEAR, "10.00"))
        open_account(make_member(region=elsewhere), elsewhere, YEAR, "10.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))
    rollover.begin(run=run, at=at(BOUNDARY))
    chunks = list(run.chunks.order_by("number"))
    assert [chunk.planned for chunk in chunks] == [3, 3, 1]
    assert (chunks[0].first_id, chunks[-1].last_id) == (0, 2**63 - 1)
    assert all(one.last_id + 1 == other.first_id for one, other in zip(chunks, chunks[1:], strict=False))
    visits = work_to_the_end(run)
    assert sorted(visit.accounts for visit in visits) == [1, 3, 3]
    assert PersonalAccount.objects.filter(region=elsewhere, benefit_year=YEAR).count() == 7
    assert rollover.finish(run=run, at=at(BOUNDARY)).state == "reconciled"


def test_an_account_opened_in_the_new_year_is_none_of_the_runs_business(region):
    open_account(make_member(), region, YEAR, "10.00")
    young = open_account(make_member(), region, 2026, "10.00", on=BOUNDARY)
    run = release_run(region)
    work_to_the_end(run)
    assert state_of(young) == (2026, yuan("10.00"), yuan("0.00"), yuan("0.00"))
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["batch"]["accounts"]) == ("reconciled", 1)


@pytest.fixture
def elsewhere(transactional_db) -> Iterator:
    """A second, real connection."""
    other = connection.copy()
    other.connect()
    yield other
    other.close()


@pytest.mark.django_db(transaction=True)
def test_an_account_in_the_middle_of_a_settlement_is_left_to_it_and_visited_again(elsewhere):
    region = make_region()
    held = open_account(make_member(), region, YEAR, "100.00", "50.00")
    free = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))

    elsewhere.set_autocommit(False)
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT 1 FROM settlements_personalaccount WHERE id = %s FOR NO KEY UPDATE", [held.pk])
    first = rollover_work.roll_next(run_id=run.pk)

    assert (first.accounts, first.left) == (1, 1)
    assert (state_of(held)[0], state_of(free)[0]) == (2025, 2026)
    chunk = run.chunks.get()
    assert (chunk.done, chunk.visits, chunk.done_at) == (False, 1, None)

    # While it is held, knocking again changes nothing but the number of visits.
    assert rollover_work.work(run_id=run.pk, seconds=5) == rollover_work.Outcome.WAIT
    elsewhere.rollback()
    assert rollover_work.work(run_id=run.pk, seconds=5) == rollover_work.Outcome.FINISHED

    chunk.refresh_from_db()
    assert (chunk.done, chunk.visits, chunk.accounts, chunk.moved) == (True, 3, 2, yuan("200.00"))
    assert LedgerTransaction.objects.filter(scope="rollover").count() == 3
    assert rollover.finish(run=run, at=at(BOUNDARY)).state == "reconciled"
    assert faults() == []


def test_a_visit_that_has_enough_leaves_the_rest_and_its_chunk_is_gone_on_with_first(region, settings):
    settings.ROLLOVER_CHUNK_SIZE = 3
    for _ in range(6):
        open_account(make_member(), region, YEAR, "100.00")
    run = rollover.begin(run=release_run(region), at=at(BOUNDARY))

    visits = [rollover_work.roll_next(run_id=run.pk, most=2) for _ in range(4)]

    assert [(visit.accounts, visit.left) for visit in visits] == [(2, 1), (1, 0), (2, 1), (1, 0)]
    assert list(run.chunks.values_list("number", "visits", "accounts", "done")) == [(1, 1, 3, True), (2, 1, 3, True)]
    assert list(LedgerTransaction.objects.filter(scope="rollover").order_by("pk").values_list("key", flat=True)) == [
        f"{run.pk}:{visit}:{YEAR}" for visit in ("1:1:0", "1:1:2", "2:1:0", "2:1:2")
    ]
    assert rollover.finish(run=run, at=at(BOUNDARY)).state == "reconciled"
    assert faults() == []


@pytest.mark.django_db(transaction=True)
def test_a_movement_that_rolls_and_commits_while_its_chunk_is_under_way_is_counted_once(elsewhere):
    region = make_region()
    held = open_account(make_member(), region, YEAR, "100.00", "50.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))
    elsewhere.set_autocommit(False)
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT 1 FROM settlements_personalaccount WHERE id = %s FOR NO KEY UPDATE", [held.pk])
        assert rollover_work.roll_next(run_id=run.pk).left == 1
        from settlements.ledger.rolling import ROLL_ONE_YEAR

        cursor.execute(ROLL_ONE_YEAR, {"account": held.pk, "on": NEXT_WEEK, "now": at(BOUNDARY)})
        elsewhere.commit()
    work_to_the_end(run)
    assert len(rollovers(held)) == 1
    run = rollover.finish(run=run, at=at(BOUNDARY))
    assert (run.state, run.totals["otherwise"]["accounts"]) == ("reconciled", 1)
    assert faults() == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_have_the_same_chunk(elsewhere, settings):
    settings.ROLLOVER_CHUNK_SIZE = 1
    region = make_region()
    for _ in range(2):
        open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))
    elsewhere.set_autocommit(False)
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT 1 FROM settlements_rolloverchunk WHERE number = 1 FOR UPDATE")
    assert rollover_work.roll_next(run_id=run.pk).accounts == 1
    assert RolloverChunk.objects.get(run=run, done=True).number == 2
    assert rollover_work.roll_next(run_id=run.pk) == rollover_work.Outcome.WAIT
    elsewhere.rollback()
    assert rollover_work.roll_next(run_id=run.pk).accounts == 1
    assert rollover_work.roll_next(run_id=run.pk) == rollover_work.Outcome.FINISHED


@pytest.mark.django_db(transaction=True)
def test_no_more_than_so_many_work_on_a_run(elsewhere, settings):
    settings.ROLLOVER_WORKERS = 1
    region = make_region()
    open_account(make_member(), region, YEAR, "10.00")
    run = release_run(region)
    rollover.begin(run=run, at=at(BOUNDARY))
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [rollover_work.SLOTS, run.pk * 100])
    assert rollover_work.work(run_id=run.pk, seconds=5) == rollover_work.Outcome.STOPPED
    assert not RolloverRun.objects.get().chunks.get().done
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    assert rollover_work.work(run_id=run.pk, seconds=5) == rollover_work.Outcome.FINISHED


def test_the_first_day_counts_from_noon_or_midnight_alike(region):
    """The boundary is the date's: the last day shows the old year, the first instant of the next the new one."""
    account = open_account(make_member(), region, YEAR, "100.00", on=FIRST_DAY)
    assert balances([account.pk], BOUNDARY - datetime.timedelta(days=1))[account.pk].current == yuan("100.00")
    assert balances([account.pk], BOUNDARY)[account.pk].historical == yuan("100.00")
