"""2206, 2207 and 2208: quote, settle and reverse a charge batch; and what purchases and stays share with it."""

import datetime
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.calls import Call
from accounts.errors import Refused
from accounts.models import Enrolment, Institution
from accounts.money import MAX_AMOUNT, ZERO, plain
from gateway import answers
from gateway.actions.visits import MED_TYPES, REGISTRATION, must_be_allowed, must_be_insured_there, new_number
from gateway.answers import Occasion
from gateway.domain.life import Step, stage_of
from gateway.models import Visit, VisitSettlement
from gateway.queries.people import is_credential_of
from gateway.queries.visits import BatchFacts, batch_facts, batch_of, visit_of, visit_settlement
from settlements.actions import care
from settlements.ledger import balances

# acct_used_flag -> own account, relatives' accounts. Value 2 came in 2023; older clients send 1 and mean what the
# person has at hand, the relatives' share included: whose account it is the platform picks from its own bindings.
ACCOUNTS_USED = {"0": (False, False), "1": (True, True), "2": (False, True)}
# Where the region's edition says so, an institution is set to mean this (`InstitutionSettings.one_is_own`).
ONE_IS_OWN = {"0": (False, False), "1": (True, False), "2": (True, True)}

# Current and historical yuan in an own account; None without one.
Held = tuple[Decimal, Decimal] | None
KNOW = "gateway_know(%s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Batch:
    """A charge batch and how it is to be settled."""

    visit: Visit
    name: str
    enrolment: Enrolment
    facts: BatchFacts
    bill: care.Bill
    use_account: bool
    use_family: bool

    def shared_out(self, on: datetime.date) -> dict[str, Any]:
        """The arguments that quote and settlement on a day have in common."""
        # An institution's clock may run ahead: what it dates after midnight is no care of tomorrow.
        bill = replace(self.bill, service_on=min(self.bill.service_on or on, on))
        return {
            "patient": self.visit.member,
            "institution": self.visit.institution,
            "bill": bill,
            "on": on,
            "use_account": self.use_account,
            "use_family": self.use_family,
        }

    def left_after(self, quote: care.Quote, on: datetime.date) -> Held:
        """What the patient's own account would hold after the payment that is quoted."""
        held = (quote.own["current"], quote.own["historical"]) if quote.own else own_money(self.facts, on)
        return held and (held[0] - quote.own_current, held[1] - quote.own_historical)

    def answer(self, shares: answers.Shares, occasion: Occasion) -> dict[str, Any]:
        """The nodes of a quote and of a settlement."""
        money = answers.amounts(shares, self.facts, self.visit.insurance)
        return {
            "setlinfo": answers.setlinfo(self.visit, self.enrolment, money, occasion),
            "setldetail": answers.setldetail(money, self.visit.insurance, shares.steps),
        }


def quote(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2206; nothing is written. `balc` is already the balance after the payment that would be made.

    Raises Refused as `settle` does.
    """
    data = given["data"]
    return quoted(_batch(institution, given, Step.QUOTE), data, msgid=msgid, at=at)


def quoted(batch: Batch, data: dict[str, Any], *, msgid: str, at: datetime.datetime) -> dict[str, Any]:
    """The nodes of a quote."""
    on = timezone.localdate(at)
    quote = care.quote(**batch.shared_out(on))
    left = left_over(batch.left_after(quote, on))
    occasion = Occasion(msgid=msgid, med_type=data["med_type"], mdtrt_cert_type=data["mdtrt_cert_type"], on=on, **left)
    return batch.answer(quote, occasion)


def settle(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """Answer 2207. The four split amounts of the input are not looked at: ours of 2204 decide.

    The calls that write are left in `unsent`, for whoever keeps the answer in the same transaction.

    Raises Refused: visit_unknown, visit_cancelled, visit_expired, person_unknown, credential_unsupported,
    insutype_other, insuplc_other, med_type_unsupported, med_type_other, batch_empty, batch_settled, total_other,
    amount_too_large, and what `care.settle` raises.
    """
    data = given["data"]
    return paid(_batch(institution, given, Step.SETTLE), data, msgid=msgid, at=at, unsent=unsent)


def paid(
    batch: Batch, data: dict[str, Any], *, msgid: str, at: datetime.datetime, unsent: list[Call]
) -> dict[str, Any]:
    """The nodes of a settlement, which is made here."""
    on = timezone.localdate(at)
    settled = care.settle(**batch.shared_out(on), key=msgid, unsent=unsent)
    setl_id = new_number(batch.visit.region_id, at)
    occasion = Occasion(
        msgid=msgid,
        med_type=data["med_type"],
        mdtrt_cert_type=data["mdtrt_cert_type"],
        on=on,
        **left_over(own_money(batch.facts, on) if settled.own_left is None else settled.own_left),
        setl_id=setl_id,
        settled_at=at,
    )
    numbers = [setl_id, batch.visit.pk, batch.name, settled.pk, msgid]
    unsent.append(Call(KNOW, [*numbers, occasion.med_type, occasion.mdtrt_cert_type, at]))
    return batch.answer(settled, occasion)


def reverse(*, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime) -> dict[str, Any]:
    """Answer 2208: the whole settlement back, every amount negative, under a settlement number of its own.

    Raises Refused: visit_unknown, settlement_unknown, duplicate (already reversed, or replaced by a recalculation).
    """
    data = given["data"]
    visit = visit_of(institution, data["mdtrt_id"], data["psn_no"], lock=True)
    return taken_back(visit, visit_settlement(visit, data["setl_id"]), msgid=msgid, at=at)


def taken_back(visit: Visit, known: VisitSettlement, *, msgid: str, at: datetime.datetime) -> dict[str, Any]:
    """The nodes of a reversal, which is made here; the caller has locked the visit."""
    stage = stage_of(visit.ended, lines=True, settled=known.reversed_at is None, reversed_once=True)
    must_not_be_back(known)
    must_be_allowed(Step.REVERSE, stage)
    give_back(known, msgid=msgid, at=at)
    return told_back(visit, known, batch_facts(visit, known.batch), at)


def must_not_be_back(known: VisitSettlement) -> None:
    """Raises Refused("duplicate") for what went back at the window: the institution is told that it was there."""
    if known.is_reversed_at_window:
        raise Refused("duplicate", why="at_window", number=known.reversal_setl_id)


def give_back(known: VisitSettlement, *, msgid: str, at: datetime.datetime) -> None:
    """The settlement back, whole; the reversal has a number of its own. Raises Refused as `care.reverse` does."""
    care.reverse(settlement=known.settlement, on=timezone.localdate(at), key=msgid)
    note_back(known, msgid=msgid, at=at)


def note_back(known: VisitSettlement, *, msgid: str, at: datetime.datetime) -> None:
    """Note that a settlement is taken back, under a number of its own."""
    known.reversal_setl_id = new_number(known.visit.region_id, at)
    known.reversal_msgid, known.reversed_at = msgid, at
    known.save(update_fields=["reversal_setl_id", "reversal_msgid", "reversed_at"])


def told_back(visit: Visit, known: VisitSettlement, facts: BatchFacts, at: datetime.datetime) -> dict[str, Any]:
    """The nodes of a reversal that was just made: every amount negative."""
    on = timezone.localdate(at)
    # Also when the insurance, or the patient, turned out later to have ended before the visit: then above all.
    enrolment = facts.enrolment or Enrolment(insurance=visit.insurance)
    money = answers.negated(answers.amounts(known.settlement, facts, visit.insurance))
    occasion = Occasion(
        msgid=known.reversal_msgid,
        med_type=known.med_type,
        mdtrt_cert_type=known.mdtrt_cert_type,
        on=on,
        **left_over(own_money(facts, on)),
        setl_id=known.reversal_setl_id,
        settled_at=at,
    )
    info = answers.setlinfo(visit, enrolment, money, occasion)
    return {
        "setlinfo": info | {"pdn_cash_pay": money["psn_cash_pay"]},
        "setldetail": answers.setldetail(money, visit.insurance, []),
    }


def _batch(institution: Institution, given: dict[str, Any], step: Step) -> Batch:
    data = given["data"]
    number, name = data["mdtrt_id"], data["chrg_bchno"]
    visit, facts = batch_of(institution, number, data["psn_no"], name, lock=step == Step.SETTLE)
    if not is_credential_of(visit.member, data["mdtrt_cert_type"], data["mdtrt_cert_no"]):
        raise Refused("person_unknown")
    if data["insutype"] != answers.INSUTYPE[visit.insurance]:
        raise Refused("insutype_other")
    must_be_insured_there(given, visit.region_id)
    if visit.med_type and data["med_type"] not in (visit.med_type, REGISTRATION):
        raise Refused("med_type_other", med_type=visit.med_type)
    must_be_allowed(step, stage_of(visit.ended, lines=facts.lines > 0, settled=facts.settled), batch=name)
    return batch_for(visit, facts, given, data, name)


def accounts_used(given: dict[str, Any], flag: str) -> tuple[bool, bool]:
    """Whether the own account, and whether relatives' accounts, may pay: acct_used_flag as this institution means it."""
    return (ONE_IS_OWN if given.get("one_is_own") else ACCOUNTS_USED)[flag]


def batch_for(visit: Visit, facts: BatchFacts, given: dict[str, Any], data: dict[str, Any], name: str) -> Batch:
    """What is to be paid and how. Raises Refused: med_type_unsupported, total_other, amount_too_large, not_insured."""
    if MED_TYPES.get(data["med_type"]) != visit.kind:
        raise Refused("med_type_unsupported")
    must_come_to(facts, data["medfee_sumamt"])
    use_account, use_family = accounts_used(given, data["acct_used_flag"])
    bill = bill_of(visit, facts, timezone.localdate(visit.begun_at))
    return Batch(visit, name, how_insured(facts), facts, bill, use_account, use_family)


def must_come_to(facts: BatchFacts, asked: Decimal) -> None:
    """The lines come to what is asked for (yuan). Raises Refused: total_other, amount_too_large."""
    if asked != facts.amount:
        raise Refused("total_other", amount=plain(asked), expected=plain(facts.amount))
    if facts.amount > MAX_AMOUNT:
        raise Refused("amount_too_large")


def bill_of(visit: Visit, facts: BatchFacts, day: datetime.date) -> care.Bill:
    """What the lines come to, as a bill of a day."""
    return care.Bill(
        kind=visit.kind,
        level=visit.institution.level,
        in_scope=facts.in_scope,
        pre_self_pay=facts.pre_self_pay,
        self_paid=facts.over_limit + facts.off_catalogue,
        service_on=day,
    )


def how_insured(facts: BatchFacts) -> Enrolment:
    """How the patient was insured on the day of the lines. Raises Refused("not_insured")."""
    if facts.enrolment is None:
        raise Refused("not_insured")
    return facts.enrolment


def own_money(facts: BatchFacts, on: datetime.date) -> Held:
    """Current and historical yuan in the patient's own account; None without one."""
    if facts.account_id is None:
        return None
    balance = balances([facts.account_id], on)[facts.account_id]
    return balance.current, balance.historical


def left_over(held: Held) -> dict[str, Any]:
    """What an `Occasion` tells of it."""
    return {"balance": sum(held or (), ZERO), "buckets": held}
