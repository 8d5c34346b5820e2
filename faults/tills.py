"""Tills of an institution: they call over the interface, ask again with the same msgid until there is an answer, and log
what they were told. A call can be lost on its way there or back."""

import datetime
import http.client
import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.test import Client

from accounts.models import Institution, Member
from faults import world
from faults.told import Line, Log
from gateway import models
from gateway.actions import keys
from gateway.client import PATH, envelope, signed_headers
from gateway.queries.people import psn_no
from settlements.models import CatalogueItem

DRUG = "XPROVING01"
PATIENCE = 60.0
# Rows of a statement, which takes 65,535 parameters at most.
AT_ONCE = 1000
# What changes nothing is not logged: it promises nothing.
READS = frozenset({"1101", "2206", "2303"})
# Nothing was done, says the interface; the same msgid is sent again.
AGAIN = frozenset({"busy", "system_error"})
LOST = (OSError, http.client.HTTPException)


class Stranded(Exception):
    """A till cannot go on: what must succeed was refused."""


@dataclass(frozen=True)
class Shop:
    """An institution with a key."""

    code: str
    key_id: str
    secret: str

    @property
    def sells(self) -> bool:
        """A pharmacy: what it sells is one call (2102), without a visit before it."""
        return self.code.startswith("P")


@dataclass(frozen=True)
class Patient:
    """By what a till knows a person."""

    psn_no: str
    id_number: str

    @property
    def shown(self) -> dict[str, str]:
        """The credential, and whom it is shown for."""
        return {"psn_no": self.psn_no, "mdtrt_cert_type": "02", "mdtrt_cert_no": self.id_number, "insutype": "310"}


@dataclass(frozen=True)
class Visit:
    """Registered, its one line uploaded."""

    patient: Patient
    mdtrt_id: str
    amount: str
    settles, reverses = "2207", "2208"

    @property
    def bill(self) -> dict[str, Any]:
        """The input of 2206 and 2207."""
        return {"data": {
            **self.patient.shown, "med_type": "11", "medfee_sumamt": self.amount, "psn_setlway": "01",
            "mdtrt_id": self.mdtrt_id, "chrg_bchno": "B1", "acct_used_flag": "1", "fulamt_ownpay_amt": "0",
            "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0",
        }}  # fmt: skip


@dataclass(frozen=True)
class Sale:
    """Of a pharmacy: one drug."""

    patient: Patient
    at: str
    amount: str
    settles, reverses = "2102", "2103"

    @property
    def bill(self) -> dict[str, Any]:
        """The input of 2102."""
        drug = {
            "feedetl_sn": "1", "rx_circ_flag": "0", "fee_ocur_time": self.at, "med_list_codg": DRUG,
            "medins_list_codg": "1", "det_item_fee_sumamt": self.amount, "cnt": "1", "pric": self.amount,
        }  # fmt: skip
        sold = {"begntime": self.at, "medfee_sumamt": self.amount, "acct_used_flag": "1", "med_type": "41"}
        return {"druginfo": {**self.patient.shown, **sold}, "drugdetail": [drug]}


def reversal(settled: Line) -> dict[str, Any]:
    """The input of 2208 and 2103 for an answer to 2207 and 2102."""
    said = settled["output"]["setlinfo"]
    return {"data": {name: said[name] for name in ("setl_id", "mdtrt_id", "psn_no")}}


def correction(bill: Visit | Sale, msgid: str) -> dict[str, Any]:
    """The input of 2601 for a bill that was sent under a message ID."""
    return {"data": {"psn_no": bill.patient.psn_no, "omsgid": msgid, "oinfno": bill.settles}}


def open_shop(place: Institution | None = None) -> Shop:
    """The hospital of the scenarios (or another place) with a key, and a catalogue of one drug, which is wholly in scope."""
    item = {"name": "试验药", "item_class": "A", "valid_from": datetime.date(2020, 1, 1)}
    CatalogueItem.objects.get_or_create(region=world.region(), code=DRUG, defaults=item)
    place = place or world.institution()
    key, secret = keys.issue(institution=place, by=None, at=world.at(world.OPENED))
    return Shop(place.code, key.key_id, secret)


def patients(people: Iterable[world.Insured]) -> list[Patient]:
    """The same people as a till knows them."""
    return [Patient(psn_no(one.member), one.member.id_number) for one in people]


def stock(people: Sequence[Patient], count: int, at: datetime.datetime) -> list[Visit]:
    """So many visits, registered and uploaded beforehand, without calls; the people take turns."""
    hospital, amount = world.institution(), Decimal("39.99")
    members = {psn_no(member): member for member in Member.objects.all()}
    visits = (
        models.Visit(
            mdtrt_id=f"{uuid.uuid4().int % 10**30:030d}", institution=hospital, region_id=world.REGION,
            member=members[people[number % len(people)].psn_no], insurance="employee", kind="outpatient",
            ipt_otp_no=f"S{number}", begun_at=at, registered_at=at,
        )
        for number in range(count)
    )  # fmt: skip
    made = models.Visit.objects.bulk_create(visits, batch_size=AT_ONCE)
    lines = (
        models.FeeLine(
            visit=visit, sn="1", batch="B1", code=DRUG, own_code="1", occurred_at=at, quantity=1, price=amount,
            amount=amount, item_class="A", self_pay_percent=0, in_scope=amount, pre_self_pay=0, over_limit=0,
            off_catalogue=0,
        )
        for visit in made
    )  # fmt: skip
    models.FeeLine.objects.bulk_create(lines, batch_size=AT_ONCE)
    return [Visit(people[number % len(people)], visit.mdtrt_id, str(amount)) for number, visit in enumerate(made)]


class Way(Protocol):
    """How a call gets there; raises one of LOST where no answer comes back."""

    def __call__(self, body: bytes, headers: dict[str, str]) -> bytes: ...


class Wire:
    """A kept connection. `cut`: so many calls are hung up on once they are sent, before their answer is read."""

    def __init__(self, address: str, cut: float = 0.0, seed: int = 0) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self.cut, self.chance, self.cuts = cut, random.Random(seed), 0

    def __call__(self, body: bytes, headers: dict[str, str]) -> bytes:
        try:
            self.connection.request("POST", PATH, body, headers)
            if self.chance.random() < self.cut:
                # At once: the portal is at work. Later: the answer has come and lies there unread.
                time.sleep(self.chance.choice([0.0, 0.01, 0.3]))
                self.cuts += 1
                raise ConnectionAbortedError("hung up")
            response = self.connection.getresponse()
            text = response.read()
        except BaseException:
            self.connection.close()
            raise
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"HTTP {response.status}")
        return text


class Straight:
    """The portal in this process, without a line between: for deliberate defects, which are put in here. `cut` as above."""

    def __init__(self, cut: float = 0.0, seed: int = 0) -> None:
        self.cut, self.chance, self.cuts = cut, random.Random(seed), 0

    def __call__(self, body: bytes, headers: dict[str, str]) -> bytes:
        response = Client().post(PATH, body, content_type="application/json", headers=headers)
        if self.chance.random() < self.cut:
            self.cuts += 1
            raise ConnectionAbortedError("hung up")
        return response.content


def code_of(answer: Line) -> str:
    """The code in brackets at the end of a refusal."""
    return str(answer["err_msg"]).rpartition("[")[2].rstrip("]")


@dataclass
class Till:
    """One till. `ahead`: by how many seconds the portal's clock is ahead; `pause`: seconds before it asks again; `lost`
    counts calls without an answer, `busy` those that were told to come again, `errors` those that failed in the portal.
    """

    shop: Shop
    way: Way
    log: Log
    ahead: Callable[[], float]
    pause: float = 0.02
    lost: int = 0
    busy: int = 0
    errors: int = 0
    answers: int = 0

    def msgid(self) -> str:
        """A new one."""
        return self.shop.code + uuid.uuid4().hex[:18]

    def now(self) -> str:
        """The portal's time, as the interface writes it."""
        at = datetime.datetime.fromtimestamp(time.time() + self.ahead(), world.BEIJING)
        return f"{at:%Y-%m-%d %H:%M:%S}"

    def ask(self, infno: str, given: Any, *, msgid: str = "", patience: float = PATIENCE) -> Line | None:
        """The answer, a refusal too. None when none came in so many seconds; with 0 it is asked only once."""
        act = {"infno": infno, "msgid": msgid or self.msgid(), "input": given}
        self._log("asked", act)
        end = time.monotonic() + patience
        while True:
            text = self._send(act)
            answer: Line | None = json.loads(text, parse_float=Decimal) if text else None
            if answer and not (answer["infcode"] and code_of(answer) in AGAIN):
                self.answers += 1
                self._log("refused" if answer["infcode"] else "told", act, text=text.decode())
                return answer
            self.busy += bool(answer and code_of(answer) == "busy")
            self.errors += bool(answer and code_of(answer) == "system_error")
            if time.monotonic() >= end:
                if patience:
                    self._log("failed", act, error=f"nothing for {patience:.0f} s")
                return None
            time.sleep(self.pause)

    def _send(self, act: Line) -> bytes:
        call = envelope(act["infno"], act["input"], self.shop.code, msgid=act["msgid"])
        headers = signed_headers(self.shop.key_id, self.shop.secret, timestamp=int(time.time() + self.ahead()))
        try:
            return self.way(json.dumps(call).encode(), {"Content-Type": "application/json", **headers})
        except LOST:
            self.lost += 1
            return b""
        except RuntimeError as error:
            self._log("failed", act, error=str(error))
            raise

    def _log(self, what: str, act: Line, **more: Any) -> None:
        if act["infno"] not in READS:
            self.log.write(what, act, **more)

    def ok(self, infno: str, given: Any, *, msgid: str = "") -> Line:
        """The output of a call that must succeed."""
        answer = self.ask(infno, given, msgid=msgid)
        if answer is None or answer["infcode"]:
            raise Stranded(f"{infno}: {answer and answer['err_msg']}")
        return answer["output"] or {}

    def customer(self, patient: Patient, amount: str) -> Visit | Sale:
        """Somebody with a bill to be settled."""
        return Sale(patient, self.now(), amount) if self.shop.sells else self.visit(patient, amount)

    def visit(self, patient: Patient, amount: str) -> Visit:
        """2201 and 2204."""
        place = {"ipt_otp_no": uuid.uuid4().hex[:20], "dept_code": "A03", "dept_name": "内科", "caty": "A03"}
        said = self.ok("2201", {"data": {**patient.shown, **place, "begntime": self.now()}})
        visit = Visit(patient, said["data"]["mdtrt_id"], amount)
        self.ok("2204", {"feedetail": [{
            "feedetl_sn": "1", "mdtrt_id": visit.mdtrt_id, "psn_no": patient.psn_no, "chrg_bchno": "B1",
            "rx_circ_flag": "0", "fee_ocur_time": self.now(), "med_list_codg": DRUG, "medins_list_codg": "1",
            "det_item_fee_sumamt": amount, "cnt": "1", "pric": amount, "bilg_dept_codg": "A03",
            "bilg_dept_name": "内科", "bilg_dr_codg": "D1", "bilg_dr_name": "某医生", "hosp_appr_flag": "0",
        }]})  # fmt: skip
        return visit
