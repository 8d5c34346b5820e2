"""What becomes of a key: answered, refused, waited for by a twin, or free again after a crash."""

import datetime
import threading
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.errors import KeyReused, Refused
from settlements import ledger
from settlements.actions import care
from settlements.enums import EntryKind
from settlements.models import Entry, LedgerTransaction, Settlement, SettlementPayer, Usage
from tests.settlements.rollover.world import faults
from tests.settlements.scene import Scene, make_scene
from tests.support.races import at_once

ON = datetime.date(2026, 5, 20)


def act(scene: Scene, work, request: str = "same", key: str = "k", **more) -> dict:
    return ledger.once(
        scope="test",
        key=key,
        request={"asked": request},
        kind=EntryKind.CARE,
        on=ON,
        region_id=scene.region.pk,
        by_id=None,
        work=work,
        **more,
    )


def write_then_refuse(scene: Scene):
    def work(transaction_id: int) -> dict:
        books = ledger.open(patient_id=scene.father.member_id, years=[2026], account_ids=[scene.fathers.pk], on=ON)
        out = ledger.Movement(
            account_id=scene.fathers.pk, kind=EntryKind.CARE, contra="institution", historical=Decimal("-1.00")
        )
        books.post(transaction_id, [out], {2026: {"fund": Decimal("5.00")}})
        raise Refused("not_covered", why="no_rate")

    return work


def what_is_there(scene: Scene) -> tuple:
    scene.fathers.refresh_from_db()
    return scene.fathers.historical, scene.fathers.version, Entry.objects.count(), Usage.objects.count()


@pytest.mark.django_db(transaction=True)
def test_a_refusal_after_writing_takes_all_back_and_is_kept() -> None:
    scene = make_scene(on=ON)
    before = what_is_there(scene)
    for _turn in range(2):
        with pytest.raises(Refused) as refused:
            act(scene, write_then_refuse(scene))
        assert (refused.value.code, refused.value.params) == ("not_covered", {"why": "no_rate"})
        assert what_is_there(scene) == before
    kept = LedgerTransaction.objects.get(scope="test")
    assert (kept.refused, kept.answer["params"]) == ("not_covered", {"why": "no_rate"})
    assert faults(ON) == []


@pytest.mark.django_db
def test_a_refusal_inside_another_transaction_that_goes_on_is_kept() -> None:
    scene = make_scene(on=ON)
    before = what_is_there(scene)
    with pytest.raises(Refused):
        act(scene, write_then_refuse(scene))
    with pytest.raises(Refused):
        act(scene, lambda transaction_id: {"never": "done"})
    assert what_is_there(scene) == before
    assert LedgerTransaction.objects.get(scope="test").refused == "not_covered"


@pytest.mark.django_db
def test_who_undoes_his_own_transaction_keeps_the_refusal_himself() -> None:
    scene = make_scene(on=ON)
    with pytest.raises(Refused), transaction.atomic():
        act(scene, write_then_refuse(scene), unsent=[])
    assert LedgerTransaction.objects.filter(scope="test").count() == 0


@pytest.mark.django_db
def test_a_refused_key_is_refused_to_another_request_as_reused() -> None:
    scene = make_scene(on=ON)
    with pytest.raises(Refused):
        act(scene, write_then_refuse(scene))
    with pytest.raises(KeyReused):
        act(scene, write_then_refuse(scene), request="another")


@pytest.mark.django_db(transaction=True)
def test_twins_of_a_refused_key_hear_one_refusal() -> None:
    """The second waits for the first's claim; the first takes it back to refuse, and whoever is first then is kept."""
    scene = make_scene(on=ON)
    claimed = threading.Event()

    def refuse(transaction_id: int) -> dict:
        claimed.set()
        raise Refused("not_covered", why="no_rate")

    outcomes = at_once(*[lambda: act(scene, refuse)] * 4)
    assert claimed.is_set()
    assert outcomes == ["not_covered"] * 4
    assert LedgerTransaction.objects.get(scope="test").refused == "not_covered"


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_statements_leaves_nothing_and_the_key_free(monkeypatch) -> None:
    """Locks are held and the decision is made, then the process fails before it has written."""
    scene = make_scene(on=ON)
    before = what_is_there(scene)
    bill = care.Bill(kind="outpatient", level=scene.institution.level, in_scope=Decimal("80.00"))
    told = {"patient": scene.father.member, "institution": scene.institution, "bill": bill, "on": ON, "key": "crash"}
    with monkeypatch.context() as broken:
        broken.setattr(care, "recording", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            care.settle(**told)
    assert what_is_there(scene) == before
    assert (Settlement.objects.count(), SettlementPayer.objects.count()) == (0, 0)
    settlement = care.settle(**told)
    assert care.settle(**told).pk == settlement.pk
    assert faults(ON) == []


@pytest.mark.django_db
def test_what_fails_in_the_last_statement_leaves_nothing_of_it() -> None:
    """Money, bill, messages and answer are one statement; one that the database refuses takes the others with it."""
    scene = make_scene(on=ON)
    before = what_is_there(scene)

    def work(transaction_id: int) -> ledger.Decided:
        books = ledger.open(patient_id=scene.father.member_id, years=[2026], account_ids=[scene.fathers.pk], on=ON)
        out = ledger.Movement(
            account_id=scene.fathers.pk, kind=EntryKind.CARE, contra="institution", historical=Decimal("-9999.00")
        )
        return ledger.Decided({"done": "no"}, [books.posting(transaction_id, [out])])

    with pytest.raises(Exception, match="account_never_negative"), transaction.atomic():
        act(scene, work)
    # The first row of the counters, made to be locked, went too.
    assert what_is_there(scene) == before


@pytest.mark.django_db
def test_a_bill_is_three_statements(django_assert_max_num_queries) -> None:
    """Asked for, locked, written; the relatives' accounts, messages and counters are in them. Twice, for the savepoint."""
    scene = make_scene(on=ON)
    bill = care.Bill(kind="outpatient", level=scene.institution.level, in_scope=Decimal("1340.00"))
    told = {"patient": scene.father.member, "institution": scene.institution, "bill": bill, "on": ON}
    care.settle(**told, key="warm")
    with django_assert_max_num_queries(3 + 2):
        assert care.settle(**told, key="counted").shared > 0
