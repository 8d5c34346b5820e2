"""Bills paid in cash (零星报销): handed in, checked by a second person, and the fund's part paid back to the patient."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import Institution, Member, Region, ServiceCentre, User
from accounts.money import ZERO, plain
from casework.actions import cases
from casework.domain.states import APPLICANT, CLERK
from casework.models import Case
from casework.policies import may_serve
from settlements import ledger
from settlements.actions import care
from settlements.domain.filing import FilingRule
from settlements.enums import CLAIM_CASE, EntryKind
from settlements.models import Claim, Reimbursement, Settlement
from settlements.policies import may_pay_out
from settlements.queries.care import CareFacts, care_facts
from settlements.queries.filing import filing_deadline, filing_rule_on

BILL = ("kind", "level", "in_scope", "pre_self_pay", "self_paid", "service_on")


@dataclass(frozen=True, kw_only=True)
class PaidBill:
    """A bill that a member paid in cash, as it stands on the invoice, and where the money is to go. Amounts in yuan."""

    institution: Institution
    service_on: datetime.date
    kind: str
    in_scope: Decimal
    pre_self_pay: Decimal
    self_paid: Decimal
    invoice_number: str
    bank: str
    bank_account: str

    @property
    def bill(self) -> care.Bill:
        """As it is settled; its level is the institution's."""
        return care.Bill(
            kind=self.kind,
            level=self.institution.level,
            in_scope=self.in_scope,
            pre_self_pay=self.pre_self_pay,
            self_paid=self.self_paid,
            service_on=self.service_on,
        )


# The rule: until when, once, and what of it is paid


@transaction.atomic
def file_claim(
    *,
    patient: Member,
    institution: Institution,
    bill: care.Bill,
    filed_on: datetime.date,
    on: datetime.date,
    key: str,
    by: User | None = None,
    invoice: str = "",
) -> Settlement:
    """Settle a bill that was paid in cash: what the fund would have paid is to be paid out, `paid_back` of it.

    Accounts pay nothing unless the region's filing rule says so. `filed_on`: the day on which it was handed in, which the
    deadline is about; `on`: the day of settlement. Idempotent by (institution, key).
    Raises Refused: future_care, late_filing, duplicate (`number` and `settled_on` of the other), not_insured, closed,
    not_covered.
    Source: domain.md 5, numbers 3 and 11.
    """
    facts, rule = check_claim(patient=patient, bill=bill, filed_on=filed_on, on=on)
    # The sheet of counters is what a bill settled on line locks first: neither can slip by the other's look for twins.
    ledger.open(patient_id=patient.pk, years=[facts.counted_year], account_ids=[], on=on)
    refuse_twin(patient=patient, institution=institution, bill=bill, invoice=invoice)
    with_accounts = uses_accounts(rule)
    return care.settle(
        patient=patient,
        institution=institution,
        bill=bill,
        on=on,
        key=key,
        by=by,
        use_account=with_accounts,
        use_family=with_accounts,
        kind=EntryKind.CLAIM,
    )


def preview_claim(*, patient: Member, asked: PaidBill, on: datetime.date) -> care.Quote:
    """How the bill would come out if it were filed and settled on a day; writes nothing. Raises Refused as `file_claim`."""
    _facts, rule = check_claim(patient=patient, bill=asked.bill, filed_on=on, on=on)
    refuse_twin(patient=patient, institution=asked.institution, bill=asked.bill, invoice=asked.invoice_number)
    _refuse_same_invoice(asked)
    with_accounts = uses_accounts(rule)
    return care.quote(
        patient=patient,
        institution=asked.institution,
        bill=asked.bill,
        on=on,
        use_account=with_accounts,
        use_family=with_accounts,
        kind=EntryKind.CLAIM,
    )


def check_claim(
    *, patient: Member, bill: care.Bill, filed_on: datetime.date, on: datetime.date
) -> tuple[CareFacts, FilingRule | None]:
    """What holds of a claim before anything is looked up twice. Raises Refused as `file_claim`, but for the twin."""
    service_on = _care_day(bill)
    if service_on > filed_on:
        raise Refused("future_care")
    facts = care_facts(member_id=patient.pk, kind=bill.kind, on=on, service_on=service_on, use_family=False)
    rule = filing_rule_on(facts.region_id, service_on)
    # Where no source names a deadline, nothing is late.
    if rule is not None and filed_on > (last := filing_deadline(rule, service_on)):
        raise Refused("late_filing", why="deadline", last_on=last.isoformat())
    return facts, rule


def uses_accounts(rule: FilingRule | None) -> bool:
    """Whether accounts pay what the fund leaves of a bill that was paid in cash."""
    return rule is not None and rule.accounts


def refuse_twin(*, patient: Member, institution: Institution, bill: care.Bill, invoice: str = "") -> None:
    """Raises Refused("duplicate") where a bill of the same day, place and amount stands, settled on line or claimed.

    Two claims with an invoice each, and not the same, are two bills; of a bill settled on line no invoice is known.
    """
    total = bill.in_scope + bill.pre_self_pay + bill.self_paid
    twins = Settlement.objects.filter(
        patient=patient, institution=institution, service_on=_care_day(bill), reversed_on=None
    )
    if invoice:
        twins = twins.filter(Q(claim=None) | Q(claim__invoice_number=invoice))
    twin = next((one for one in twins.order_by("id") if one.total == total), None)
    if twin is not None:
        raise Refused("duplicate", why="bill", number=twin.number, settled_on=twin.settled_on.isoformat())


def paid_back(settlement: Settlement) -> Decimal:
    """Yuan of a claimed bill that go to the patient: all but what stays his cash."""
    return Decimal(settlement.total - settlement.cash)


def _care_day(bill: care.Bill) -> datetime.date:
    assert bill.service_on is not None, "a claim names its day of care"
    return bill.service_on


# The case


@transaction.atomic
def submit_claim(
    *,
    patient: Member,
    asked: PaidBill,
    by: User,
    at: datetime.datetime,
    channel: str = Channel.ONLINE,
    centre: ServiceCentre | None = None,
    agent_name: str = "",
) -> Claim:
    """Hand a bill in: by the patient, or by a clerk of the region of the day of care for him. It then waits for the check.

    Raises Refused as `file_claim`, own_case; and PermissionDenied.
    """
    cases.refuse_own(by, patient.pk)
    on = timezone.localdate(at)
    facts, _rule = check_claim(patient=patient, bill=asked.bill, filed_on=on, on=on)
    role = _role(by, patient, facts.region_id)
    refuse_twin(patient=patient, institution=asked.institution, bill=asked.bill, invoice=asked.invoice_number)
    _refuse_same_invoice(asked)
    case = cases.open_case(
        kind=CLAIM_CASE,
        applicant=patient,
        region=Region.objects.get(pk=facts.region_id),
        by=by,
        role=role,
        at=at,
        channel=channel,
        centre=centre,
        agent_name=agent_name,
    )
    with _once_an_invoice(asked):
        claim = Claim.objects.create(case=case, patient=patient, level=asked.institution.level, **_fields(asked))
    claim.case = cases.move(case=case, verb="submit", by=by, role=role, at=at, to="review", channel=channel)
    return claim


@transaction.atomic
def amend_claim(
    *, claim: Claim, asked: PaidBill, by: User, at: datetime.datetime, version: int, channel: str = Channel.ONLINE
) -> Claim:
    """Change a claim that came back, and hand it in again; the day on which it was first handed in still counts.

    Raises Refused as `submit_claim`, different_region, stale, not_in_this_state; and PermissionDenied.
    """
    cases.refuse_own(by, claim.patient_id)
    case = cases.lock(case=claim.case, version=version, verb="submit")
    role = _role(by, claim.patient, case.region_id)
    before = _told(claim)
    check_filed(case, patient=claim.patient, bill=asked.bill, on=timezone.localdate(at))
    refuse_twin(patient=claim.patient, institution=asked.institution, bill=asked.bill, invoice=asked.invoice_number)
    _refuse_same_invoice(asked, but=claim)
    claim = Claim.objects.select_for_update(no_key=True).get(pk=claim.pk)
    for name, value in _fields(asked).items():
        setattr(claim, name, value)
    claim.level = asked.institution.level
    with _once_an_invoice(asked, but=claim):
        claim.save()
    audit.record(
        action="claim_amended",
        by=by,
        at=at,
        member=claim.patient,
        target=f"case {case.number}",
        details={"before": before, "after": _told(claim)},
        on_behalf_of=claim.patient if role == CLERK else None,
        channel=channel,
    )
    claim.case = cases.move(case=case, verb="submit", by=by, role=role, at=at, to="review", channel=channel)
    return claim


def check_filed(case: Case, *, patient: Member, bill: care.Bill, on: datetime.date) -> FilingRule | None:
    """The same of a bill that has its case: also that the case's region is still the one that pays it.

    Raises Refused as `check_claim`, and different_region: another day of care, or a register put right, would have one
    region's office pay by another's rules.
    """
    facts, rule = check_claim(patient=patient, bill=bill, filed_on=filed_on(case), on=on)
    if facts.region_id != case.region_id:
        raise Refused("different_region", why="claim")
    return rule


def preview_filed(*, claim: Claim, on: datetime.date) -> care.Quote:
    """How a claim would come out if it were granted on a day; writes nothing. Raises Refused as `file_claim`."""
    bill = bill_of(claim)
    rule = check_filed(claim.case, patient=claim.patient, bill=bill, on=on)
    refuse_twin(patient=claim.patient, institution=claim.institution, bill=bill, invoice=claim.invoice_number)
    with_accounts = uses_accounts(rule)
    return care.quote(
        patient=claim.patient,
        institution=claim.institution,
        bill=bill,
        on=on,
        use_account=with_accounts,
        use_family=with_accounts,
        kind=EntryKind.CLAIM,
    )


def withdraw_claim(
    *, claim: Claim, by: User, at: datetime.datetime, version: int, channel: str = Channel.ONLINE
) -> Claim:
    """Take a claim back for good; the bill may then be claimed anew. Raises Refused and PermissionDenied as `cases.move`."""
    role = _role(by, claim.patient, claim.case.region_id)
    claim.case = cases.move(case=claim.case, verb="withdraw", by=by, role=role, at=at, version=version, channel=channel)
    return claim


def withdraw_case(*, case: Case, by: User, at: datetime.datetime, version: int) -> Case:
    """A clerk takes back a case about bills for its member. Raises Refused and PermissionDenied as `cases.move`."""
    return cases.move(case=case, verb="withdraw", by=by, role=CLERK, at=at, version=version, channel=Channel.WINDOW)


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """What still has to hold at the second check; the twin is looked for again by `file_claim`."""
    claim: Claim = case.claim
    check_filed(case, patient=claim.patient, bill=bill_of(claim), on=timezone.localdate(at))


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Settle the granted claim, and list what is to be paid out."""
    claim = Claim.objects.select_for_update(no_key=True).select_related("patient", "institution").get(case=case)
    on = timezone.localdate(at)
    claim.settlement = file_claim(
        patient=claim.patient,
        institution=claim.institution,
        bill=bill_of(claim),
        filed_on=filed_on(case),
        on=on,
        key=f"case {case.number}",
        by=by,
        invoice=claim.invoice_number,
    )
    claim.save(update_fields=["settlement"])
    amount = paid_back(claim.settlement)
    if amount:
        Reimbursement.objects.create(
            case=case,
            member=claim.patient,
            amount=amount,
            bank=claim.bank,
            bank_account=claim.bank_account,
            decided_on=on,
        )


def after_step(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Free the bill of a claim that came to nothing, and tell the patient."""
    if verb == "open":
        return
    claim: Claim = case.claim
    if case.state in ("refused", "withdrawn", "expired"):
        Claim.objects.filter(pk=claim.pk).update(void=True)
    kind = {
        "review": "claim_filed",
        "returned": "claim_returned",
        "refused": "claim_refused",
        "granted": "claim_granted",
    }
    if case.state in kind and claim.patient.died_on is None:
        settled = Settlement.objects.filter(claim=claim).first()
        params = {
            "case": case.number,
            "reason": case.reason,
            "amount": plain(paid_back(settled)) if settled else plain(ZERO),
        }
        if case.due_on is not None:
            params["due_on"] = case.due_on.isoformat()
        messages.notify(member=claim.patient, kind=kind[case.state], params=params, at=at)


def bill_of(claim: Claim) -> care.Bill:
    """The bill of a claim as it is settled."""
    return care.Bill(**{name: getattr(claim, name) for name in BILL})


def filed_on(case: Case) -> datetime.date:
    """The day on which a case was handed in first: a return must not make it late."""
    first = case.events.filter(verb="submit").order_by("id").first()
    return timezone.localdate(first.at if first else case.opened_at)


def _refuse_same_invoice(asked: PaidBill, but: Claim | None = None) -> None:
    """Raises Refused("duplicate") where the invoice was claimed before, by whomever; a constraint holds it as well."""
    same = Claim.objects.filter(
        institution=asked.institution, service_on=asked.service_on, invoice_number=asked.invoice_number, void=False
    ).exclude(pk=but.pk if but else None)
    first = same.select_related("case").first()
    if first is not None:
        raise Refused("duplicate", why="invoice", number=first.case.number)


@contextmanager
def _once_an_invoice(asked: PaidBill, but: Claim | None = None) -> Iterator[None]:
    """Of two who hand an invoice in at once the database takes one; the other is told as if he had come later."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        _refuse_same_invoice(asked, but)
        raise


def _fields(asked: PaidBill) -> dict[str, object]:
    return {field.name: getattr(asked, field.name) for field in fields(asked)}


def _told(claim: Claim) -> dict[str, str]:
    """For the log: what stands on the invoice, never the bank account."""
    return {
        "institution": claim.institution.code,
        "service_on": claim.service_on.isoformat(),
        "kind": claim.kind,
        "in_scope": plain(claim.in_scope),
        "pre_self_pay": plain(claim.pre_self_pay),
        "self_paid": plain(claim.self_paid),
        "invoice": claim.invoice_number,
    }


def _role(by: User, patient: Member, region_id: str) -> str:
    if by.member_id == patient.pk:
        return APPLICANT
    if may_serve(by, region_id):
        return CLERK
    raise PermissionDenied


@transaction.atomic
def pay_out(*, reimbursement: Reimbursement, reference: str, by: User, at: datetime.datetime) -> Reimbursement:
    """Note that the bank has carried it out (or that the member has paid what he owed). Raises Refused("duplicate"),
    changed_meanwhile (dropped by a reversal), own_case, and PermissionDenied for anybody but staff of the region."""
    rows = Reimbursement.objects.select_for_update(no_key=True, of=("self",)).select_related("case", "member")
    row = rows.filter(pk=reimbursement.pk).first()
    if row is None:
        raise Refused("changed_meanwhile")
    cases.refuse_own(by, row.member_id)
    if not may_pay_out(by, row.case.region_id):
        raise PermissionDenied
    if row.done_on is not None:
        raise Refused("duplicate", why="paid", paid_on=row.done_on.isoformat())
    row.done_on, row.done_by, row.reference = timezone.localdate(at), by, reference
    row.save()
    audit.record(
        action="reimbursement_paid",
        by=by,
        at=at,
        member=row.member,
        target=f"case {row.case.number}",
        details={"amount": plain(row.amount), "reference": reference},
        on_behalf_of=row.member,
        channel=Channel.WINDOW,
    )
    if row.member.died_on is not None:
        return row
    messages.notify(
        member=row.member,
        kind="reimbursement_paid" if row.amount > 0 else "reimbursement_received",
        params={"case": row.case.number, "amount": plain(abs(row.amount))},
        at=at,
    )
    return row
