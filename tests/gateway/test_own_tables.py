"""What institutions sent about a member, in the file that he takes with him; nothing of it in a relative's."""

import io
import zipfile

import pytest
from django.utils import translation

from accounts import own_data
from accounts.actions.own_data import write_copy
from accounts.clock import now
from accounts.models import User
from settlements.models import Settlement
from tests.gateway import stays
from tests.gateway.test_life import diagnoses
from tests.gateway.world import DRUG, LUXURY, World, line
from tests.people import make_login


def rows(user: User, title: str) -> list[dict[str, object]]:
    with translation.override("en"):
        [table] = [one for one in own_data.tables() if str(one.title) == title]
        return [dict(zip(map(str, table.heads), row, strict=True)) for row in table.rows(user, now())]


def test_visits_diagnoses_and_lines_are_the_patient_s_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "CHUNK", 1)
    hospital, patient = world.hospital, world.patient
    user, husband = make_login(patient), make_login(world.husband)
    visit = hospital.register(patient)
    hospital.ok("2203", diagnoses(world, visit))
    sent = [
        line(patient, visit, "1", DRUG, "2", "400.00"),
        line(patient, visit, "2", LUXURY, "1", "9.90", chrg_bchno="B2"),
    ]
    hospital.ok("2204", {"feedetail": sent})
    assert hospital.settle(patient, visit, "800.00")["infcode"] == 0
    stay = stays.admit(hospital, patient)
    hospital.ok("2402", stays.leaving(patient, stay))

    bill = Settlement.objects.get()
    [first, second] = rows(user, "Bills line by line")
    assert (first["Number of the bill"], second["Number of the bill"]) == (bill.number, None)
    assert (first["Catalogue code"], first["Quantity"], first["Unit price"]) == (DRUG, "2", "400")
    assert first["Name in the catalogue"] and first["Number of the visit"] == visit
    told = {row["Number of the visit"]: row for row in rows(user, "Visits to institutions")}
    assert (told[visit]["Main condition"], told[visit]["Disease code"]) == ("咳嗽", "J06.900")
    assert told[stay]["Discharged on"] and set(told) == {visit, stay}
    found = rows(user, "Diagnoses")
    assert [row["Diagnosis code"] for row in found] == ["J18.900", "I10.x00", "J15.900", "J06.900"]
    assert found[-1]["Diagnosis"] == "急性上呼吸道感染"

    file = io.BytesIO()
    write_copy(by=husband, at=now(), into=file)
    archive = zipfile.ZipFile(file)
    his = "".join(archive.read(name).decode() for name in archive.namelist())
    assert bill.shared and str(bill.shared) in his, "he paid a part of it"
    assert [word for word in (visit, stay, DRUG, LUXURY, "J06.900", "急性上呼吸道感染") if word in his] == []
