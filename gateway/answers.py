"""Output nodes of the transactions: the national field names for what our models and actions say, in yuan."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from accounts.domain.age import age_on
from accounts.enums import EnrolmentStatus, Insurance, PersonalStatus
from accounts.models import Enrolment, Member
from accounts.money import ZERO, fen
from gateway.domain import json_text
from gateway.fields import name_of
from gateway.models import FeeLine, Visit
from gateway.queries.people import psn_no
from gateway.queries.visits import BatchFacts
from settlements.telling import working

ID_CARD = "01"
INSUTYPE = {Insurance.EMPLOYEE: "310", Insurance.RESIDENT: "390"}
INSURED = {
    EnrolmentStatus.NORMAL: "1",
    EnrolmentStatus.SUSPENDED: "2",
    EnrolmentStatus.FROZEN: "2",
    EnrolmentStatus.CLOSED: "4",
}
POOLED_FUND = {Insurance.EMPLOYEE: "310100", Insurance.RESIDENT: "390100"}
SUPPLEMENT = {Insurance.EMPLOYEE: "330100", Insurance.RESIDENT: "390200"}
PERSONAL_ACCOUNT = "310200"
# Which steps of the working explain which row of setldetail; relatives are not named to institutions.
FUND_STEPS = {"suspended", "frozen", "stage.deductible", "stage.rate", "stage.cap"}
SUPPLEMENT_STEPS = {"stage.supplement"}
ACCOUNT_STEPS = {"stage.account", "pay.own_current", "pay.own_historical", "pay.wallet", "pay.shared"}
ITEM_CLASS = {"A": "01", "B": "02", "C": "03"}
# First letter of a national code -> charge category: western and patent medicine, herbs, consumables; services: other.
CHARGE_TYPE = {"X": "09", "Z": "11", "T": "10", "C": "08"}
OTHER_CHARGE = "14"
NO_LIMIT = Decimal("999999")
# The class of a bill in clearing is its medical category where that is one.
CLEARING_TYPE = {"11": "11", "12": "12", "13": "13", "1301": "13", "21": "21", "2101": "21", "41": "41"}


class Shares(Protocol):
    """A quote or a settlement: who pays how much of a bill, in yuan."""

    @property
    def in_scope(self) -> Decimal: ...
    @property
    def pre_self_pay(self) -> Decimal: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def deductible(self) -> Decimal: ...
    @property
    def fund(self) -> Decimal: ...
    @property
    def supplement(self) -> Decimal: ...
    @property
    def own_current(self) -> Decimal: ...
    @property
    def own_historical(self) -> Decimal: ...
    @property
    def shared(self) -> Decimal: ...
    @property
    def wallet(self) -> Decimal: ...
    @property
    def cash(self) -> Decimal: ...
    @property
    def steps(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Around the amounts: which call, under what numbers, and what is left in the own account afterwards; `buckets` are
    its current and historical parts, None without an account."""

    msgid: str
    med_type: str
    mdtrt_cert_type: str
    balance: Decimal
    on: datetime.date
    buckets: tuple[Decimal, Decimal] | None = None
    setl_id: str | None = None
    settled_at: datetime.datetime | None = None


def psn_type(enrolment: Enrolment) -> str:
    """Person category: employed, retired, or resident."""
    if enrolment.insurance == Insurance.RESIDENT:
        return "1701"
    return "12" if enrolment.personal_status == PersonalStatus.RETIRED else "11"


def person(member: Member, on: datetime.date) -> dict[str, Any]:
    """Who somebody is, as 1101 and the settlements say it."""
    return {
        "psn_no": psn_no(member),
        "psn_cert_type": ID_CARD,
        "certno": member.id_number,
        "psn_name": member.name,
        "gend": "1" if member.sex == "M" else "2",
        "brdy": member.birth,
        "age": age_on(member.birth, on),
    }


def buckets(current: Decimal, historical: Decimal) -> str:
    """Current and historical balance as Zhejiang's extension of 1101 names them; the text has only their sum.

    To the fen: a bucket that the year end has emptied comes as a bare 0.
    """
    return json_text.dumps({"crtYearBalc": fen(current), "calYearBalc": fen(historical)})


def insurance(enrolment: Enrolment, on: datetime.date, balance: Decimal) -> dict[str, Any]:
    """One row of insuinfo; `balance` of the personal account in yuan."""
    over = enrolment.valid_to is not None and enrolment.valid_to <= on
    paused = enrolment.status in (EnrolmentStatus.SUSPENDED, EnrolmentStatus.FROZEN)
    return {
        "balc": balance,
        "insutype": INSUTYPE[Insurance(enrolment.insurance)],
        "psn_type": psn_type(enrolment),
        "psn_insu_stas": "4" if over else INSURED[EnrolmentStatus(enrolment.status)],
        "psn_insu_date": enrolment.valid_from,
        "paus_insu_date": enrolment.valid_to if over else enrolment.valid_from if paused else None,
        "cvlserv_flag": "0",
        "insuplc_admdvs": enrolment.region_id,
        "emp_name": enrolment.employer,
    }


def line(fee: FeeLine) -> dict[str, Any]:
    """One row of the answer to 2204; F6: the four parts are the line."""
    proportion = {"A": ZERO, "C": Decimal(1)}.get(fee.item_class, fee.self_pay_percent / 100)
    return {
        "feedetl_sn": fee.sn,
        "det_item_fee_sumamt": fee.amount,
        "cnt": fee.quantity,
        "pric": fee.price,
        "pric_uplmt_amt": NO_LIMIT if fee.price_limit is None else fee.price_limit,
        "selfpay_prop": proportion,
        "fulamt_ownpay_amt": fee.off_catalogue,
        "overlmt_amt": fee.over_limit,
        "preselfpay_amt": fee.pre_self_pay,
        "inscp_scp_amt": fee.in_scope,
        "chrgitm_lv": ITEM_CLASS[fee.item_class],
        "med_chrgitm_type": CHARGE_TYPE.get(fee.code[:1].upper(), OTHER_CHARGE),
        "lmt_used_flag": "0",
    }


def amounts(shares: Shares, facts: BatchFacts, insured: str) -> dict[str, Decimal]:
    """The amounts of setlinfo, in yuan; the identities F1 to F5, F10 and F14 of interface.md 4.1 hold among them.

    `acct_mulaid_pay` (the relatives) is inside `acct_pay`; funds never hold the account. What the patient's wallet pays is
    in `acct_pay` too: the institution gets it from the insurance, and the patient owes it no cash (decision 0026).
    """
    employee = insured == Insurance.EMPLOYEE
    accounts = shares.own_current + shares.own_historical + shares.wallet + shares.shared
    return {
        "medfee_sumamt": shares.total,
        "fulamt_ownpay_amt": facts.off_catalogue,
        "overlmt_selfpay": facts.over_limit,
        "preselfpay_amt": shares.pre_self_pay,
        "inscp_scp_amt": shares.in_scope,
        "act_pay_dedc": shares.deductible,
        "hifp_pay": shares.fund,
        "pool_prop_selfpay": _fund_proportion(shares),
        "cvlserv_pay": ZERO,
        "hifes_pay": ZERO,
        "hifmi_pay": ZERO if employee else shares.supplement,
        "hifob_pay": shares.supplement if employee else ZERO,
        "maf_pay": ZERO,
        "oth_pay": ZERO,
        "hifdm_pay": ZERO,
        "fund_pay_sumamt": shares.fund + shares.supplement,
        "psn_part_amt": accounts + shares.cash,
        "acct_pay": accounts,
        "acct_mulaid_pay": shares.shared,
        "psn_cash_pay": shares.cash,
        "hosp_part_amt": ZERO,
    }


def _fund_proportion(shares: Shares) -> Decimal:
    """What the pooled fund paid of the part that it shares in; over several bands, or at a cap, what came out."""
    bands = [band for step in shares.steps if step["key"] == "stage.rate" for band in step["params"]["bands"]]
    base = sum((Decimal(band["base"]) for band in bands), ZERO)
    return shares.fund / base if base else ZERO


def setlinfo(visit: Visit, enrolment: Enrolment, money: Mapping[str, Decimal], occasion: Occasion) -> dict[str, Any]:
    """The node of 2206 (nothing settled: no number, no time, no clearing) and 2207."""
    settled = occasion.settled_at is not None
    found: dict[str, Any] = {
        "mdtrt_id": visit.mdtrt_id,
        **person(visit.member, occasion.on),
        "insutype": INSUTYPE[Insurance(visit.insurance)],
        "psn_type": psn_type(enrolment),
        "cvlserv_flag": "0",
        "setl_time": occasion.settled_at,
        "mdtrt_cert_type": occasion.mdtrt_cert_type,
        "med_type": occasion.med_type,
        **money,
        "balc": occasion.balance,
        "medins_setl_id": occasion.msgid,
        "clr_optins": visit.region_id if settled else None,
        "clr_way": "1" if settled else None,
        "clr_type": CLEARING_TYPE[occasion.med_type],
    }
    if occasion.buckets:
        found["exp_content"] = buckets(*occasion.buckets)
    return found | {"setl_id": occasion.setl_id} if settled else found


def setldetail(money: Mapping[str, Decimal], insured: str, steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a payer that pays something (F9). Accounts and wallet are one row: a grantor and a wallet have no code."""
    kind, steps = Insurance(insured), list(steps)
    paid = [
        (POOLED_FUND[kind], money["hifp_pay"], FUND_STEPS),
        (SUPPLEMENT[kind], money["hifob_pay"] + money["hifmi_pay"], SUPPLEMENT_STEPS),
        (PERSONAL_ACCOUNT, money["acct_pay"], ACCOUNT_STEPS),
    ]
    return [
        {
            "fund_pay_type": code,
            "inscp_scp_amt": money["inscp_scp_amt"],
            "crt_payb_lmt_amt": None if code == PERSONAL_ACCOUNT else _limit(steps, keys),
            "fund_payamt": amount,
            "fund_pay_type_name": name_of("fund_pay_type", code),
            "setl_proc_info": _told(steps, keys),
        }
        for code, amount, keys in paid
        if amount
    ]


def _limit(steps: Iterable[Mapping[str, Any]], keys: Collection[str]) -> Decimal | None:
    """What a fund could have paid at most, as it stood before this bill, in yuan; None where the rules set no limit."""
    said = [step["params"] for step in steps if step["key"] in keys and step["params"].get("limit") is not None]
    left = [Decimal(one["limit"]) - Decimal(one["used_before"]) for one in said]
    return max(ZERO, min(left)) if left else None


def _told(steps: Iterable[Mapping[str, Any]], keys: Collection[str]) -> str:
    told = [working.step(step) for step in steps if step["key"] in keys]
    return "\n".join(f"{step.name}: {step.sentence}" for step in told)


def negated(money: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The same amounts taken back (F11); a share is a proportion and keeps its sign."""
    return {name: amount if name == "pool_prop_selfpay" else ZERO - amount for name, amount in money.items()}
