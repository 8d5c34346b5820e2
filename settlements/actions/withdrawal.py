"""Closing an account, as a case: paid out to the member, to his heirs, or carried to another region. Where there is no
account to inherit, the wallet alone is.

A clerk applies at the window, a supervisor checks; what stands against it is asked again at each step, because bills
and transfers go on while a case waits. Everything of the grant (leaving the insurance, what goes back, the payouts, the
closing) is one transaction.
"""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.actions import audit, messages
from accounts.enums import Channel, EnrolmentStatus
from accounts.errors import Refused
from accounts.masks import mask_name
from accounts.models import Member, ServiceCentre, User
from accounts.money import ZERO, plain
from casework.actions import cases
from casework.domain.states import CLERK
from casework.models import Case
from casework.policies import staff_regions
from family.actions.grants import end_for
from family.actions.locks import lock_members
from family.domain.check import Finding
from settlements import ledger
from settlements.actions import payouts
from settlements.actions.leaving import DIED, MOVED, leave
from settlements.actions.payees import PayeeAsked, write_payees
from settlements.domain import withdrawal as rule
from settlements.domain.withdrawal import INHERITANCE, Leaving
from settlements.enums import AccountStatus
from settlements.ledger import wallets
from settlements.models import Payout, PersonalAccount, Wallet, WithdrawalApplication
from settlements.queries import withdrawal as queries
from settlements.queries.withdrawal import Purse


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """Whether it would succeed today (`findings` empty), what would leave the account then, and what goes back first.

    `wallet`: yuan that heirs get out of the wallet besides.
    """

    findings: list[Finding]
    going: Leaving
    taken_back: Decimal = ZERO
    wallet: Decimal = ZERO
    working_days: int | None = None

    @property
    def paid(self) -> Decimal:
        """Yuan that the payees would get."""
        return self.going.paid + self.wallet


@transaction.atomic
def dry_run(
    *,
    purse: Purse,
    kind: str,
    reason: str,
    since: datetime.date,
    by: User,
    at: datetime.datetime,
    except_case: int | None = None,
) -> DryRun:
    """Whether the account could be closed on this day, everything that stands against it, and the yuan it comes to; or
    whether the wallet could be inherited alone.

    The amounts are those of the real thing, done and undone. Raises PermissionDenied and Refused("own_case").
    """
    cases.refuse_own(by, purse.member_id)
    if purse.region_id not in staff_regions(by):
        raise PermissionDenied
    on = timezone.localdate(at)
    going, taken_back, refusal = _tried(purse, kind, since, by, at)
    wallet = _wallet(purse, kind, at)
    found = _findings(purse, kind, reason, since, on, going.paid + wallet, except_case)
    known = {finding.code for finding in found}
    if refusal is not None and refusal.code not in known and since <= on:
        found.append(Finding(refusal.code, refusal.params))
    region_rule = queries.rule_on(purse.region_id, on)
    return DryRun(
        findings=found,
        going=going,
        taken_back=taken_back,
        wallet=wallet,
        working_days=region_rule.working_days if region_rule else None,
    )


def _wallet(purse: Purse, kind: str, at: datetime.datetime) -> Decimal:
    """Yuan that heirs get out of the wallet."""
    return sum(wallets.balances([purse.member_id], at).values(), ZERO) if kind == INHERITANCE else ZERO


class _Undo(Exception):
    """Takes the trial back."""


def _tried(
    purse: Purse, kind: str, since: datetime.date, by: User | None, at: datetime.datetime
) -> tuple[Leaving, Decimal, Refused | None]:
    """What the account would hold after leaving, what leaving takes back, and why it cannot be left."""
    on, refusal = timezone.localdate(at), None
    ids = [purse.pk] if isinstance(purse, PersonalAccount) else []
    after = before = ledger.balances(ids, on)
    try:
        with transaction.atomic():
            _leave(purse, kind, since, by, at)
            after = ledger.balances(ids, on)
            raise _Undo
    except _Undo:
        pass
    except Refused as refused:
        refusal = refused
    if not ids:
        return payouts.NOTHING, ZERO, refusal
    was, left = before[purse.pk], after[purse.pk]
    going = rule.leaving(left.current, left.historical, left.debt)
    return going, was.total - was.debt - left.total + left.debt, refusal


def _leave(
    purse: Purse,
    kind: str,
    since: datetime.date,
    by: User | None,
    at: datetime.datetime,
    moving: Collection[int] = (),
) -> None:
    """Out of the insurance of the region: grants end, and what was credited ahead goes back, whoever had it end."""
    why = DIED if kind == INHERITANCE else MOVED
    enrolment = queries.last_enrolment(purse)
    if enrolment is None:
        end_for(member=purse.member, why=why, on=since, by=by, at=at, channel=Channel.WINDOW, left=purse.region_id)
        return
    insured, ended_on = queries.insured_until(purse, timezone.localdate(at))
    if why == MOVED and not insured and ended_on and enrolment.status != EnrolmentStatus.SUSPENDED:
        since = max(since, ended_on)  # an end that the register tells is not put earlier by what was typed here
    leave(
        enrolment=enrolment,
        why=why,
        on=since,
        by=by,
        at=at,
        channel=Channel.WINDOW,
        left_before=True,
        moving=moving,
    )


def _findings(
    purse: Purse,
    kind: str,
    reason: str,
    since: datetime.date,
    on: datetime.date,
    payable: Decimal,
    except_case: int | None,
) -> list[Finding]:
    purse = type(purse).objects.select_related("member").get(pk=purse.pk)
    insured, ended_on = queries.insured_until(purse, on)
    alone = isinstance(purse, Wallet)
    facts = rule.Facts(
        kind=kind,
        reason=reason,
        since=since,
        wallet=alone,
        has_account=alone and queries.has_open_account(purse.member_id),
        closed=queries.was_inherited(purse.member_id) if alone else purse.status != AccountStatus.OPEN,
        died_on=purse.member.died_on,
        insured=insured,
        ended_on=ended_on,
        payable=payable,
        open=queries.open_things(purse),
        applied=queries.applied_for(purse, except_case),
    )
    return rule.check(queries.rule_on(purse.region_id, on), facts, on)


@transaction.atomic
def draft(
    *,
    purse: Purse,
    kind: str,
    reason: str,
    since: datetime.date,
    payees: Sequence[PayeeAsked],
    by: User,
    at: datetime.datetime,
    channel: str = Channel.WINDOW,
    centre: ServiceCentre | None = None,
    agent_name: str = "",
) -> WithdrawalApplication:
    """An application that is kept and has no effect before it is submitted.

    Raises Refused: closing_applied, closed, reason_not_offered …, what is wrong with the payees (`_payees`), own_case;
    and PermissionDenied.
    """
    cases.refuse_own(by, purse.member_id)
    lock_members(purse.member_id)  # two clerks at once: the second waits here and finds the first one's case
    _refuse(_findings(purse, kind, reason, since, timezone.localdate(at), Decimal(1), None))
    case = cases.open_case(
        kind=kind,
        applicant=purse.member,
        region=purse.region,
        by=by,
        role=CLERK,
        at=at,
        channel=channel,
        centre=centre,
        agent_name=agent_name,
    )
    account = purse if isinstance(purse, PersonalAccount) else None
    application = WithdrawalApplication.objects.create(case=case, account=account, reason=reason, since=since)
    write_payees(application, payees, by, timezone.localdate(at))
    _record("closing_written", application, by, at)
    return application


@transaction.atomic
def amend(
    *,
    application: WithdrawalApplication,
    reason: str,
    since: datetime.date,
    payees: Sequence[PayeeAsked],
    by: User,
    at: datetime.datetime,
    version: int | None = None,
    agent_name: str | None = None,
) -> WithdrawalApplication:
    """Change what is asked; what was submitted comes back first and is submitted anew. Refusals as `draft`, and stale."""
    case = cases.lock(case=application.case, version=version, verb="amend")
    cases.refuse_own(by, application.member.pk)
    kind, on = case.kind, timezone.localdate(at)
    _refuse(_findings(queries.purse_of(application), kind, reason, since, on, Decimal(1), case.pk))
    if agent_name is not None:
        case.agent_name = agent_name
        case.save(update_fields=["agent_name"])
    application.case = cases.move(case=case, verb="amend", by=by, role=CLERK, at=at, channel=Channel.WINDOW)
    application.reason, application.since = reason, since
    application.save(update_fields=["reason", "since"])
    application.payees.all().delete()
    write_payees(application, payees, by, on)
    _record("closing_written", application, by, at)
    return application


@transaction.atomic
def submit(
    *, application: WithdrawalApplication, by: User, at: datetime.datetime, version: int | None = None
) -> WithdrawalApplication:
    """Hand it in for the second check. Raises Refused: what `dry_run` finds, own_case, stale, not_in_this_state."""
    case = cases.lock(case=application.case, version=version, verb="submit")
    cases.refuse_own(by, *(payee.member_id for payee in application.payees.all() if payee.member_id))
    _check(application, by, at)
    application.case = cases.move(case=case, verb="submit", by=by, role=CLERK, at=at, channel=Channel.WINDOW)
    return application


def withdraw(
    *, application: WithdrawalApplication, by: User, at: datetime.datetime, version: int | None = None
) -> WithdrawalApplication:
    """The applicant takes it back before it is decided. Raises Refused: stale, not_in_this_state; and PermissionDenied."""
    application.case = cases.move(
        case=application.case, verb="withdraw", by=by, role=CLERK, at=at, version=version, channel=Channel.WINDOW
    )
    return application


def check_again(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """Before the second check is accepted: what was true at the submission may not be any more."""
    _check(case.withdrawal, by, at)


def take_effect(*, case: Case, by: User | None, at: datetime.datetime) -> None:
    """The case is granted: out of the insurance, what was credited ahead goes back, the rest is paid, the account closed.

    Runs in the transaction of the step. Raises Refused: what `dry_run` finds, payee_without_account.
    """
    application = WithdrawalApplication.objects.select_related("account", "case__applicant", "case__region").get(
        case=case
    )
    on, purse = timezone.localdate(at), queries.purse_of(application)
    _leave(purse, case.kind, application.since, by, at, payouts.accounts_of(application, on))
    paid = payouts.close(application=application, on=on, by=by)
    audit.record(
        action="account_closed" if application.account else "wallet_inherited",
        by=by,
        at=at,
        member=application.member,
        target=f"case {case.number}",
        details={"paid": plain(paid), **queries.shape_of(application)},
        on_behalf_of=application.member,
        channel=Channel.WINDOW,
    )


def tell(*, case: Case, verb: str, from_state: str, by: User | None, at: datetime.datetime) -> None:
    """Messages after each step: to the member while he lives, and to heirs here about what they get."""
    application = getattr(case, "withdrawal", None)
    if application is None or verb in ("open", "amend", "withdraw"):
        return
    facts = {"case": case.number, "reason": case.reason, "matter": case.kind}
    if case.state == "review" and case.due_on is not None:
        facts["due_on"] = case.due_on.isoformat()
    applicant = Member.objects.get(pk=case.applicant_id)
    if applicant.died_on is None and (kind := _message_kind(case)):
        messages.notify(member=applicant, kind=kind, params=facts, at=at, sms=case.state == "granted")
    if case.state == "granted":
        for payout in Payout.objects.filter(payee__application=application, payee__member__isnull=False):
            heir = payout.payee.member
            if heir is not None and heir.pk != case.applicant_id:
                params = facts | {"amount": plain(payout.amount), "who": mask_name(applicant.name)}
                kind = "closing_inherited" if application.account_id else "wallet_inherited"
                messages.notify(member=heir, kind=kind, params=params, at=at)


def _message_kind(case: Case) -> str:
    told = {"review": "closing_in_review", "returned": "closing_returned", "refused": "closing_refused"}
    return f"closing_granted_{case.kind}" if case.state == "granted" else told.get(case.state, "")


def _check(application: WithdrawalApplication, by: User | None, at: datetime.datetime) -> None:
    purse, kind, on = queries.purse_of(application), application.case.kind, timezone.localdate(at)
    going, _, refusal = _tried(purse, kind, application.since, by, at)
    payable = going.paid + _wallet(purse, kind, at)
    _refuse(_findings(purse, kind, application.reason, application.since, on, payable, application.case_id))
    if refusal is not None:
        raise refusal


def _refuse(found: list[Finding]) -> None:
    if found:
        raise Refused(found[0].code, **found[0].params)


def _record(action: str, application: WithdrawalApplication, by: User, at: datetime.datetime) -> None:
    audit.record(
        action=action,
        by=by,
        at=at,
        member=application.member,
        target=f"case {application.case.number}",
        details=queries.shape_of(application),
        on_behalf_of=application.member,
        channel=Channel.WINDOW,
    )
