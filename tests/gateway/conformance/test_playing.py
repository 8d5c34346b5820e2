"""A short portion of `make conformance`: the same programs, by another carrier."""

import pytest

from conformance import fields_sent, habits, noise, scenes, sequences, visits, world, wrongs
from conformance.lanes import play
from conformance.manners import Manner, every
from conformance.stand import Job, Stand
from conformance.world import INPATIENT, OUTPATIENT
from tests.gateway.conformance.conftest import REGIONS

MANNERS = list(every())


def holds(stand: Stand, job: Job) -> None:
    """Something was played and checked, and all of it holds."""
    play(stand, job)
    assert stand.told.findings == []
    assert stand.told.messages > 0
    assert stand.told.checks > stand.told.messages


@pytest.mark.parametrize("region", REGIONS)
def test_a_day(stand: Stand, region: str) -> None:
    """All signatures, both families of addresses, infcode as number and text come round."""
    for at, insurance in enumerate(world.INSUTYPE):
        manner = MANNERS[(REGIONS.index(region) * 17 + at * 11) % len(MANNERS)]
        holds(stand, Job("", region, lambda stand, of=insurance, by=manner: sequences.day(stand, region, by, of)))


def test_visits_by_chance(stand: Stand) -> None:
    holds(stand, Job("", "", lambda stand: visits.by_chance(stand, examples=12, repeatable=True, regions=REGIONS)))


@pytest.mark.parametrize("number", ["1101", "1201", "2205", "2404", "2601"])
def test_every_field(stand: Stand, number: str) -> None:
    holds(stand, Job("", number, lambda stand: fields_sent.each_field(stand, number)))


@pytest.mark.parametrize("how", ["codes padded", "numbers as numbers", "lists of one as objects", "names of Java"])
def test_habits(stand: Stand, how: str) -> None:
    kind = INPATIENT if how.startswith("lists") else OUTPATIENT
    holds(stand, Job("", how, lambda stand: habits.understood(stand, kind, how)))


def test_noise(stand: Stand) -> None:
    for job in noise.jobs():
        if "chance" not in job.what and "chunks" not in job.what:
            holds(stand, job)


def test_noise_by_chance(stand: Stand) -> None:
    holds(stand, Job("", "", lambda stand: noise.by_chance(stand, examples=60, repeatable=True)))


@pytest.mark.parametrize("what", ["another institution's", "twice", "people"])
def test_wrongs(stand: Stand, what: str) -> None:
    holds(stand, Job("", what, wrongs.PLAYS[what]))


def test_every_transaction_has_a_scene() -> None:
    from gateway.actions.messages import TRANSACTIONS

    assert set(scenes.numbers()) == set(TRANSACTIONS)


def test_a_manner_for_each_way_to_sign() -> None:
    from gateway.enums import Variant

    assert {manner.variant for manner in every()} == set(Variant.values)
    assert len({manner.told for manner in every()}) == len(MANNERS)
    assert Manner() not in (manner for manner in MANNERS if manner.infcode_as_text)
