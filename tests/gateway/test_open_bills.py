"""A batch that was uploaded and not settled keeps the patient's account from being closed."""

from decimal import Decimal

from gateway.models import Visit
from gateway.queries.people import account_id_of
from gateway.queries.visits import OPEN_DAYS, open_bills
from settlements.models import PersonalAccount
from settlements.queries.withdrawal import open_things
from tests.gateway.stays import admit, fee, named
from tests.gateway.world import DRUG, World, bill_input, line


def test_from_the_upload_to_the_settlement_or_a_month(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    account = PersonalAccount.objects.get(pk=account_id_of(patient, world.region.code))
    mdtrt_id = hospital.register(patient)
    assert open_bills(account) == [], "somebody who only registered owes nothing"
    hospital.ok("2204", {"feedetail": [line(patient, mdtrt_id, "1", DRUG, "1", "78.50")]})
    assert [one.what for one in open_bills(account)] == ["bill"]
    assert open_bills(account)[0] in open_things(account)
    visits = Visit.objects.filter(mdtrt_id=mdtrt_id)
    registered = visits.get().registered_at
    visits.update(registered_at=registered - OPEN_DAYS)
    assert open_bills(account) == []
    visits.update(registered_at=registered)
    hospital.ok("2207", {"data": bill_input(patient, mdtrt_id, Decimal("78.50"))})
    assert open_bills(account) == []


def test_a_stay_is_open_until_it_is_settled_or_cancelled(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    account = PersonalAccount.objects.get(pk=account_id_of(patient, world.region.code))
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": fee(patient, mdtrt_id, "1", DRUG, "1", "78.50")})
    visits = Visit.objects.filter(mdtrt_id=mdtrt_id)
    visits.update(registered_at=visits.get().registered_at - OPEN_DAYS)
    assert [one.what for one in open_bills(account)] == ["bill"]
    hospital.ok("2404", named(patient, mdtrt_id))
    assert open_bills(account) == []
