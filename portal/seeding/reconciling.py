"""A pharmacy whose file of yesterday does not agree with the portal."""

import datetime
import json
import secrets
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import clock
from accounts.models import Institution, Member
from accounts.money import ZERO, plain
from gateway import envelope
from gateway.actions import files, reconciling_watch
from gateway.actions.messages import deliver
from gateway.client import envelope as wrapped
from gateway.enums import Variant
from gateway.models import GatewayFile, InstitutionKey
from portal.seeding import cases, cast
from portal.seeding.cast import SHANGHAI
from portal.seeding.register import registered

DAY = datetime.timedelta(days=1)
PHARMACY = "P31010100001"


def make(now: datetime.datetime) -> None:
    """Yesterday's sales of a pharmacy over the gateway; its file of them lacks one and has another amount in one."""
    today = timezone.localdate(now)
    institution = Institution.objects.get(code=PHARMACY)
    key = InstitutionKey.objects.get(institution=institution, variant=Variant.X_TIF)
    buyers = [registered(who) for who in (cast.MEMBER, cast.WIFE, cast.FATHER)]
    moment = cases.at(today - DAY, 17)
    with clock.standing(moment):
        sold = [
            _sale(key, buyer, moment, price) for buyer, price in zip(buyers, ("46.20", "88.00", "19.50"), strict=True)
        ]
    with clock.standing(moment + datetime.timedelta(hours=4)):
        _compare(key, today - DAY, sold, clock.now())
    # Not the task, which raises an alarm on the terminal: the difference is made on purpose.
    reconciling_watch.look(on=today, at=now)


def _call(key: InstitutionKey, infno: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """The output of one call, as if it had come over the line."""
    body = json.dumps(wrapped(infno, given, key.institution.code), ensure_ascii=False).encode()
    answer = deliver(key=key, nonce=secrets.token_hex(16), call=envelope.read(body), at=at)
    assert isinstance(answer, str)
    told = json.loads(answer)
    assert told["infcode"] == 0, told["err_msg"]
    output: dict[str, Any] = told["output"]
    return output


def _sale(key: InstitutionKey, buyer: Member, at: datetime.datetime, price: str) -> dict[str, Any]:
    who = {"mdtrt_cert_type": "02", "mdtrt_cert_no": buyer.id_number}
    known = _call(key, "1101", {"data": who}, at)
    info = known["baseinfo"]
    person = {name: info[name] for name in ("psn_no", "psn_cert_type", "certno", "psn_name")}
    insured = known["insuinfo"][0]
    told = f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"
    head = who | person | {"psn_type": insured["psn_type"], "insutype": insured["insutype"], "begntime": told}
    row = {
        "feedetl_sn": "1", "rx_circ_flag": "0", "fee_ocur_time": told, "med_list_codg": "XA10BAD001",
        "medins_list_codg": "T1", "det_item_fee_sumamt": price, "cnt": "1", "pric": price,
    }  # fmt: skip
    given = {"druginfo": head | {"medfee_sumamt": price, "acct_used_flag": "1", "med_type": "41"}, "drugdetail": [row]}
    sold: dict[str, Any] = _call(key, "2102", given, at)["setlinfo"]
    return sold


def _compare(key: InstitutionKey, day: datetime.date, sold: list[dict[str, Any]], at: datetime.datetime) -> None:
    names = ("setl_id", "mdtrt_id", "psn_no", "medfee_sumamt", "fund_pay_sumamt", "acct_pay")
    rows = [{name: str(one[name]) for name in names} for one in sold[1:]]
    rows[0]["acct_pay"] = plain(Decimal(rows[0]["acct_pay"]) + Decimal("0.50"))
    content = "".join("\t".join([*row.values(), "0"]) + "\r\n" for row in rows)
    way, coded = GatewayFile.UPLOADED, content.encode()
    kept = files.keep(institution=key.institution, way=way, name="details.txt", content=coded, at=at)
    sums = {
        name: plain(sum((Decimal(row[name]) for row in rows), ZERO)) for name in ("medfee_sumamt", "fund_pay_sumamt")
    }
    given = {
        "clr_type": "41", "setl_optins": SHANGHAI, "stmt_begndate": f"{day}", "stmt_enddate": f"{day} 23:59:59", **sums,
        "fixmedins_setl_cnt": len(rows), "refd_setl_flag": "", "fixmedins_refd_setl_flag": "0",
        "file_qury_no": kept.number, "cash_payamt": "0",
    }  # fmt: skip
    _call(key, "3202", {"data": given}, at)
