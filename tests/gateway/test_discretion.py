"""Canaries: after every transaction, done and refused, no ID number, name, telephone or card number stands readable in
the log at DEBUG, nor in the message store, nor (but for the register's names) anywhere else in the database."""

import copy
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from accounts.clock import today
from accounts.logs import DiscreetFormatter
from accounts.models import Member
from gateway.actions.corrections import CORRECTED
from gateway.actions.messages import TRANSACTIONS, Transaction
from gateway.client import envelope
from gateway.domain.packing import pack as packed
from gateway.fields import samples
from gateway.models import Diagnosis, GatewayMessage, Visit
from gateway.queries.people import psn_no
from tests.gateway import stays
from tests.gateway.test_asked import asked
from tests.gateway.test_life import diagnoses
from tests.gateway.test_pharmacy import pharmacy, purchase
from tests.gateway.test_reconciling import details_input, fetch, text_of, totals_input, upload
from tests.gateway.test_settings import SIGN_IN
from tests.gateway.world import DRUG, Hospital, World, bill_input, credential, line, visit_input

__all__ = ["pharmacy"]
NAME, CONTACT, PHONE = "金丝雀某", "知更鸟某", "13912345678"
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"


@dataclass
class Heard:
    """What was logged: as the portal writes it, and what it was made of."""

    written: io.StringIO
    said: list[str]


class Listener(logging.StreamHandler):
    def __init__(self, heard: Heard) -> None:
        super().__init__(heard.written)
        self.heard = heard
        self.setFormatter(DiscreetFormatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.said.append(record.getMessage())
        super().emit(record)


@pytest.fixture
def heard(db) -> Iterator[Heard]:
    """Every logger at DEBUG, the statements of the database with their values included."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    levels = [logger.level for logger in loggers]
    found = Heard(io.StringIO(), [])
    listener = Listener(found)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[0].addHandler(listener)
    connection.force_debug_cursor = True
    yield found
    connection.force_debug_cursor = False
    loggers[0].removeHandler(listener)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def canary(world: World) -> Member:
    """The patient, under a name that nobody else has, with a telephone and a card."""
    world.patient.name, world.patient.phone, world.patient.card_number = NAME, PHONE, "S31CANARY7"
    world.patient.save()
    return world.patient


def canaries(patient: Member) -> list[str]:
    return [NAME, CONTACT, PHONE, patient.id_number, str(patient.card_number)]


def outpatient(hospital: Hospital, patient: Member, world: World) -> list[dict[str, Any]]:
    """2201 to 2208, in both variants, and what asks about them. The bills."""
    number = hospital.register(patient, ipt_otp_no="M1")
    who = {"psn_no": psn_no(patient)}
    hospital.ok("2204", {"feedetail": [line(patient, number, "1", DRUG, "1", "40.00")]})
    hospital.ok("2205", {"data": who | {"mdtrt_id": number, "feedetl_sn": "0000", "chrg_bchno": "B1"}})
    hospital.ok("2202", {"data": who | {"mdtrt_id": number, "ipt_otp_no": "M1"}})
    bills = []
    for variant in ("", "A"):
        number = hospital.register(patient)
        hospital.ok(f"2203{variant}", diagnoses(world, number))
        hospital.ok("2204", {"feedetail": [line(patient, number, "1", DRUG, "1", "40.00")]})
        given = {"data": bill_input(patient, number, "40.00")}
        hospital.ok(f"2206{variant}", given)
        bills.append(hospital.ok(f"2207{variant}", given, msgid=f"DONE{variant}")["setlinfo"])
    kept, lost = bills
    hospital.ok("2601", {"data": who | {"omsgid": "DONEA", "oinfno": "2207A"}})
    named = {"data": who | {"mdtrt_id": kept["mdtrt_id"], "setl_id": kept["setl_id"]}}
    hospital.ok("5203", named)
    hospital.ok("5204", named)
    hospital.ok("5202", named)
    again = hospital.ok("2207", {"data": bill_input(patient, lost["mdtrt_id"], "40.00")})["setlinfo"]
    hospital.ok("2208", {"data": who | {"mdtrt_id": again["mdtrt_id"], "setl_id": again["setl_id"]}})
    return [kept]


def inpatient(hospital: Hospital, patient: Member) -> None:
    """2401 to 2405."""
    number = stays.admit(hospital, patient, coner_name=CONTACT, tel=PHONE)
    moved = stays.admission(patient)["mdtrtinfo"] | {"mdtrt_id": number, "coner_name": CONTACT, "tel": PHONE}
    hospital.ok("2403", {"adminfo": moved | {"ipt_otp_no": moved.pop("ipt_no")}, "diseinfo": []})
    named = stays.named(patient, number)
    hospital.ok("5303", {"data": {"psn_no": psn_no(patient), "begntime": f"{stays.ago(30)}", "endtime": f"{today()}"}})
    for _again in range(2):
        hospital.ok("2301", {"feedetail": [stays.fee(patient, number, "1", DRUG, "1", "60.00")]})
        hospital.ok("2302", stays.named(patient, number, feedetl_sn="0000"))
    hospital.ok("2301", {"feedetail": [stays.fee(patient, number, "1", DRUG, "1", "60.00")]})
    hospital.ok("2402", stays.leaving(patient, number))
    bill = stays.bill(patient, number, "60.00")
    hospital.ok("2303", bill)
    settled = hospital.ok("2304", bill)["setlinfo"]
    hospital.ok("2305", stays.named(patient, number, setl_id=settled["setl_id"]))
    hospital.ok("2405", named)
    hospital.ok("2404", named)


def others(hospital: Hospital, shop: Hospital, patient: Member, world: World, bills: list[dict[str, Any]]) -> None:
    """Looks, a pharmacy's three, the books of both sides, signing in and out."""
    who = {"psn_no": psn_no(patient)}
    for infno, given in {
        "1101": credential(patient),
        "1201": {"fixmedins_type": "1", "fixmedins_name": "", "fixmedins_code": hospital.institution.code},
        "2001": who | {"insutype": "310", "fixmedins_code": hospital.institution.code, "med_type": "11",
                       "begntime": f"{today()} 00:00:01"},
        "5205": who | {"begntime": f"{stays.ago(30)}"}, "5206": who | {"cum_ym": f"{today():%Y%m}"},
        "5301": who, "5302": who | {"biz_appy_type": "03"}, "5201": asked(world)["data"],
    }.items():  # fmt: skip
        hospital.ok(infno, {"medinsinfo" if infno == "1201" else "data": given})
    hospital.ok("1901", samples.request_input("1901"))
    shop.ok("2101", purchase(world))
    bought = shop.ok("2102", purchase(world))["setlinfo"]
    shop.ok("2103", {"data": who | {"setl_id": bought["setl_id"], "mdtrt_id": bought["mdtrt_id"]}})
    hospital.ok("3201", totals_input(bills))
    number = upload(hospital, packed("detail.txt", text_of(bills).encode()))
    result = hospital.ok("3202", details_input(bills, number))["fileinfo"]
    fetch(hospital, result["file_qury_no"])
    signed = hospital.ok("9001", SIGN_IN)["signinoutb"]
    hospital.ok("9002", {"signOut": {"sign_no": signed["sign_no"], "opter_no": SIGN_IN["signIn"]["opter_no"]}})


PERSONAL = {"mdtrt_cert_no", "certno", "card_sn", "psn_name", "coner_name", "tel", "spus_name", "dise_dor_name"}


def spoilt(given: Any, patient: Member) -> Any:
    """The same with the patient's own data wherever some person's stand, and mistakes that make it be refused."""
    if isinstance(given, list):
        return [spoilt(row, patient) for row in given]
    if not isinstance(given, dict):
        return given
    named = {"psn_name": NAME, "tel": PHONE, "coner_name": CONTACT, "card_sn": str(patient.card_number)}
    known = {name: spoilt(value, patient) for name, value in given.items()}
    return known | {name: named.get(name, patient.id_number) for name in PERSONAL & known.keys()}


def all_refused(hospital: Hospital, patient: Member) -> None:
    """Each transaction with a sample that names nobody's visit, then with a field that is none: the canaries in both."""
    for infno in TRANSACTIONS:
        sample = spoilt(copy.deepcopy(samples.request_input(infno)), patient)
        hospital.post(json.dumps(envelope(infno, sample, hospital.institution.code)).encode())
        wrong = {node: " ".join(canaries(patient)) for node in sample}
        hospital.call(infno, wrong)
    spelt = json.dumps({"infno": "1101", "input": canaries(patient)}, ensure_ascii=False)
    for body in (spelt, spelt[:-2], spelt.replace("1101", NAME)):
        hospital.post(body.encode())
        hospital.post(body.encode(), headers={"x-tif-paasid": patient.id_number, "x-tif-timestamp": PHONE})


def broken(hospital: Hospital, patient: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that fails on the patient's own row, which PostgreSQL prints."""

    def fail(**_given: Any) -> dict[str, Any]:
        Member.objects.filter(pk=patient.pk).update(id_number_index=None)
        return {}

    monkeypatch.setitem(TRANSACTIONS, "2201", Transaction(fail, changes=True))
    answer = hospital.call("2201", {"data": visit_input(patient)})
    assert answer["err_msg"].endswith("[system_error]")


def readable(table: str, words: list[str]) -> list[str]:
    """Which of the words stand in a table: in a text, or in bytes that are one."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')
        names = [column.name for column in cursor.description]
        rows = cursor.fetchall()
    return [
        f"{table}.{name}: {word}"
        for row in rows
        for name, value in zip(names, row, strict=True)
        for word in words
        if word.encode() in (bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode())
        or json.dumps(word)[1:-1] in str(value)
    ]


def all_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return [name for (name,) in cursor.fetchall()]


def test_nobody_can_be_read(
    world: World, canary: Member, pharmacy: Hospital, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital = world.hospital
    bills = outpatient(hospital, canary, world)
    inpatient(hospital, canary)
    others(hospital, pharmacy, canary, world, bills)
    all_refused(hospital, canary)
    broken(hospital, canary, monkeypatch)
    told = GatewayMessage.objects.values_list("infno", "outcome")
    outcomes = {(infno, outcome in (GatewayMessage.OK, CORRECTED)) for infno, outcome in told}
    assert {(infno, done) for infno in TRANSACTIONS for done in (True, False)} <= outcomes
    words = canaries(canary)
    connection.force_debug_cursor = False
    tables = all_tables()
    store = [name for name in tables if name.startswith("gateway_")]
    assert len(store) > 5
    assert [found for name in store for found in readable(name, words)] == []
    numbers = [canary.id_number, PHONE, str(canary.card_number)]
    assert [found for name in tables for found in readable(name, numbers)] == []
    written, said = heard.written.getvalue(), "\n".join(heard.said)
    assert "gateway_gatewaymessage" in said, "the statements were heard"
    assert "Failing row" not in written
    assert [word for word in words if word in written] == []
    assert [word for word in words if word in said] == []


def test_a_canary_in_the_store_would_be_seen(world: World, canary: Member) -> None:
    world.hospital.ok("1101", {"data": credential(canary)})
    GatewayMessage.objects.update(msgid=PHONE, infno="金丝雀某")
    assert {found.rpartition(" ")[2] for found in readable("gateway_gatewaymessage", canaries(canary))} == {PHONE, NAME}


def test_what_somebody_suffers_from_lies_nowhere_open(world: World, pharmacy: Hospital) -> None:
    hospital, patient = world.hospital, world.patient
    number = hospital.register(patient)
    hospital.ok("2203", diagnoses(world, number))
    pharmacy.ok("2102", purchase(world, dise_codg="I10.x00", dise_name="高血压"))
    stay = stays.admit(hospital, patient)
    hospital.ok("2402", stays.leaving(patient, stay))
    assert Diagnosis.objects.count() == 4 and Visit.objects.exclude(illness=None).count() == 2
    words = ["急性上呼吸道感染", "咳嗽", "J06.900", "I10.x00", "高血压", "J18.900", "肺炎", "J15.900", "某医生"]
    assert [found for name in all_tables() for found in readable(name, words)] == []
    same = hospital.register(patient)
    hospital.ok("2203", diagnoses(world, same))
    indexes = Diagnosis.objects.filter(visit__mdtrt_id__in=[number, same]).values_list("code_index", flat=True)
    assert len(set(indexes)) == 2, "the same disease does not look alike"


PLAIN = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE gateway_visit
    ADD condition varchar DEFAULT '', ADD disease_code varchar DEFAULT '', ADD disease_name varchar DEFAULT '';
ALTER TABLE gateway_diagnosis ALTER said DROP NOT NULL,
    ADD code varchar, ADD name varchar, ADD on_admission varchar DEFAULT '', ADD department varchar,
    ADD doctor_code varchar, ADD doctor_name varchar;
UPDATE gateway_visit SET condition = '咳嗽', disease_code = 'J06.900', disease_name = '急性上呼吸道感染', illness = NULL
WHERE illness IS NOT NULL;
UPDATE gateway_diagnosis SET code = 'J06.900', name = '感冒', department = 'A03', doctor_code = 'D1',
    doctor_name = '某医生', said = NULL;
"""


def test_what_lay_plain_is_encrypted_in_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migration, on rows as they were before it."""
    migration = import_module("gateway.migrations.0016_encrypt_diagnoses")
    monkeypatch.setattr(migration, "CHUNK", 2)
    hospital = world.hospital
    numbers = [hospital.register(world.patient) for _ in range(4)]
    for number in numbers[:3]:
        hospital.ok("2203", diagnoses(world, number))
    before = set(Diagnosis.objects.values_list("visit", "code_index"))
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)
    for _begun_again in range(2):
        migration.encrypt_diagnoses(None, SimpleNamespace(connection=connection))
    assert set(Diagnosis.objects.values_list("visit", "code_index")) == before and len(before) == 3
    assert [bool(visit.illness) for visit in Visit.objects.order_by("id")] == [True, True, True, False]
    who = {"psn_no": psn_no(world.patient)}
    [row] = hospital.ok("5202", {"data": who | {"mdtrt_id": numbers[2]}})["diseinfo"]
    assert (row["diag_code"], row["diag_name"], row["dise_dor_name"], row["diag_dept"]) == (
        "J06.900", "感冒", "某医生", "A03"
    )  # fmt: skip
    told = hospital.ok("5201", asked(world))["mdtrtinfo"]
    assert [row["dise_name"] or "" for row in told] == ["急性上呼吸道感染"] * 3 + [""]
