"""What waits or has happened in the ways money moves, through the real actions, so that no list of the demo stands empty.

Bills paid in cash at each stage, accounts that are closed or inherited, contributions and a catalogue that were uploaded, a
draft of rules with its what-if, and a pharmacy that does not agree with the portal.
"""

import datetime
import io
import json
import secrets
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import clock
from accounts.models import Institution, Member, Region, ServiceCentre, User
from accounts.money import ZERO, plain
from accounts.queries import enrolment_on, find_member
from gateway import envelope
from gateway.actions import files
from gateway.actions.messages import deliver
from gateway.client import envelope as wrapped
from gateway.enums import Variant
from gateway.models import GatewayFile, InstitutionKey
from gateway.tasks import watch_reconciliation
from portal.seeding import cases, cast, staff
from settlements.actions import care, catalogue, claims, contributions, drafts, recalculation, trials, withdrawal
from settlements.actions.claims import PaidBill
from settlements.models import CatalogueItem, Claim, PersonalAccount, Scheme, Settlement, WithdrawalApplication
from settlements.queries.withdrawal import open_things

REGION = "310000"
DAY = datetime.timedelta(days=1)
HOSPITAL, PHARMACY = "H31010400002", "P31010100001"
BANK, BANK_ACCOUNT = "浦江银行徐汇支行", "6222020000012345678"
# Somebody on the list of bills after a death, and two whose accounts are asked for.
PEOPLE = 7
SKIPPED = {number for _name, number in (cast.MEMBER, cast.WIFE, cast.FATHER, cast.DAUGHTER, cast.BROTHER_IN_LAW)}


def make(now: datetime.datetime) -> None:
    """All of it, as of a moment."""
    today = timezone.localdate(now)
    _claims(today)
    _closings(now)
    _recalculation(now)
    _uploads(now)
    _rules(now)
    _pharmacy(today)


def _person(who: tuple[str, str]) -> Member:
    found = find_member(id_number=who[1])
    assert found is not None, f"{who[0]} is not registered"
    return found


# Bills paid in cash


def _claims(today: datetime.date) -> None:
    """Handed in, returned, refused, granted and not yet paid, granted and paid: two people, five days."""
    member, father, judge = _person(cast.MEMBER), _person(cast.FATHER), staff.supervisor(REGION)
    day = today - 12 * DAY
    _claim(father, today - 2 * DAY, "00200101", "186.40")
    returned = _claim(member, day, "00200102", "920.00")
    _decide(returned, "return", judge, day + 2 * DAY, "票据上的金额看不清，请核对医保内金额后再交")
    refused = _claim(father, day - DAY, "00200103", "58.00")
    _decide(refused, "refuse", judge, day + 2 * DAY, "这张票据是体检费用，不属于医保报销范围")
    unpaid = _claim(father, day - 3 * DAY, "00200104", "760.00")
    _decide(unpaid, "approve", judge, day, "")
    paid = _claim(member, day - 4 * DAY, "00200105", "2380.00")
    _decide(paid, "approve", judge, day, "")
    paid.refresh_from_db()
    row = getattr(paid.case, "reimbursement", None)
    if row is not None:
        claims.pay_out(reimbursement=row, reference="PJ2026110600017", by=judge, at=cases.at(day + 3 * DAY, 16))


def _claim(patient: Member, filed_on: datetime.date, invoice: str, in_scope: str) -> Claim:
    asked = PaidBill(
        institution=Institution.objects.get(code=HOSPITAL),
        service_on=filed_on - 6 * DAY,
        kind="outpatient",
        in_scope=Decimal(in_scope),
        pre_self_pay=ZERO,
        self_paid=Decimal("35.00"),
        invoice_number=invoice,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
    )
    return claims.submit_claim(
        patient=patient, asked=asked, by=User.objects.get(member=patient), at=cases.at(filed_on, 10)
    )


def _decide(claim: Claim, verb: str, judge: User, on: datetime.date, note: str) -> None:
    claim.case.refresh_from_db()
    claims.decide(case=claim.case, verb=verb, by=judge, at=cases.at(on, 15), note=note, version=claim.case.version)


# Accounts that are closed


def _closings(now: datetime.datetime) -> None:
    """An account to be paid out and an inheritance wait for the second check, another inheritance was granted, and a draft
    waits to be signed."""
    today = timezone.localdate(now)
    free = _free_people(today)
    if len(free) < PEOPLE:
        return  # a very small population
    people = iter(free)
    bank = {"way": "bank", "bank": BANK, "bank_account": BANK_ACCOUNT}
    emigrant = next(people)
    payee = withdrawal.PayeeAsked(name=emigrant.name, id_number=emigrant.id_number, **bank)
    _close(emigrant, "withdrawal", "emigrated", today, [payee], now, submitted=True)
    dead, heirs = next(people), [next(people), next(people)]
    # Heirs who are insured get it into their own accounts.
    payees = [
        withdrawal.PayeeAsked(
            way="account", name=heir.name, id_number=heir.id_number, relation="child", percent=Decimal(percent)
        )
        for heir, percent in zip(heirs, ("60", "40"), strict=True)
    ]
    _close(dead, "inheritance", "died", today - 3 * DAY, payees, now, submitted=True)
    # His last bill came after his death: it stands among the bills after a death, and the heir has been paid.
    gone, heir = next(people), next(people)
    last = Settlement.objects.filter(patient=gone, reversed_on=None).latest("service_on").service_on
    payee = withdrawal.PayeeAsked(way="account", name=heir.name, id_number=heir.id_number, relation="child")
    done = _close(gone, "inheritance", "died", last - DAY, [payee], now, submitted=True)
    withdrawal.review_approve(application=done, by=staff.supervisor(REGION), at=now, version=done.case.version)
    mover = next(people)
    payee = withdrawal.PayeeAsked(name=mover.name, id_number=mover.id_number, **bank)
    _close(mover, "withdrawal", "gave_up", today, [payee], now, submitted=False)


def _free_people(today: datetime.date) -> list[Member]:
    """Insured employees of the region outside the cast, with money, without anything open; the same for the same seed."""
    accounts = PersonalAccount.objects.filter(region=REGION, status="open", historical__gt=100).select_related("member")
    accounts = accounts.filter(member__grants_given=None, debt=0).order_by("id")
    found = []
    for account in accounts[:200]:
        enrolment = enrolment_on(account.member, today)
        billed = Settlement.objects.filter(patient=account.member, reversed_on=None).exists()
        insured = billed and enrolment and (enrolment.insurance, enrolment.status) == ("employee", "normal")
        if account.member.id_number not in SKIPPED and insured and not open_things(account):
            found.append(account.member)
        if len(found) == PEOPLE:
            break
    return found


def _close(
    member: Member,
    kind: str,
    reason: str,
    since: datetime.date,
    payees: list[withdrawal.PayeeAsked],
    at: datetime.datetime,
    *,
    submitted: bool,
) -> WithdrawalApplication:
    clerk = staff.clerk(REGION)
    application = withdrawal.draft(
        account=PersonalAccount.objects.get(member=member, region=REGION),
        kind=kind,
        reason=reason,
        since=since,
        payees=payees,
        by=clerk,
        at=at,
        centre=ServiceCentre.objects.filter(region=REGION).first(),
    )
    if submitted:
        return withdrawal.submit(application=application, by=clerk, at=at, version=application.case.version)
    return application


def _recalculation(now: datetime.datetime) -> None:
    """The first bill of somebody's year, with its deductible, is taken back by the hospital: the later ones come out
    otherwise. Asked for, and waiting for the second check."""
    first = Settlement.objects.filter(
        region=REGION, kind="outpatient", insurance="employee", deductible__gt=0, reversed_on=None, claim=None
    )
    for bill in first.select_related("patient").order_by("-counted_year", "id")[:200]:
        later = Settlement.objects.filter(
            patient=bill.patient, counted_year=bill.counted_year, kind="outpatient", id__gt=bill.pk, fund__gt=0
        )
        if bill.patient.id_number not in SKIPPED and later.filter(reversed_on=None).exists():
            _settle_anew(bill, now)
            return


def _settle_anew(bill: Settlement, now: datetime.datetime) -> None:
    today = timezone.localdate(now)
    care.reverse(settlement=bill, on=today, key=f"seed-undone-{bill.pk}")
    facts = {"member": bill.patient, "region_id": REGION, "year": bill.counted_year}
    seen = recalculation.preview(**facts, on=today)
    recalculation.request_recalculation(
        **facts,
        seen=seen.as_data(),
        by=staff.clerk(REGION),
        at=now,
        bank=BANK,
        bank_account=BANK_ACCOUNT,
        centre=ServiceCentre.objects.filter(region=REGION).first(),
    )


# What administrators upload and draft


def _uploads(now: datetime.datetime) -> None:
    """Contributions with a wrong row, and right ones that wait to be released; a catalogue that waits to be released."""
    region, first = Region.objects.get(pk=REGION), User.objects.get(username="r0001")
    month = timezone.localdate(now).replace(day=1)
    people = [_person(who) for who in (cast.MEMBER, cast.WIFE, cast.BROTHER_IN_LAW)]
    rows = [f"{one.id_number},{one.name},{base}" for one, base in zip(people, (15200, 14800, 14800), strict=True)]
    wrong = [f"{people[0].id_number},沈家树,15200", rows[1], "31010419850312117,沈嘉树,-20"]
    for name, lines in (("2026-11-errors.csv", wrong), ("2026-11.csv", rows)):
        content = "\n".join(["身份证号,姓名,缴费基数", *lines]).encode()
        file = contributions.receive(
            region=region, month=month, name=name, content=io.BytesIO(content), by=first, at=now
        )
        contributions.read(file_id=file.pk, at=now)
    item = CatalogueItem.objects.filter(region=REGION).order_by("code").first()
    assert item is not None, "the catalogue is not there"
    lines = ["编码,名称,类别,自付比例", f"{item.code},{item.name},乙,10", "XA10BAZZ01,示例缓释片,甲,0"]
    listed = catalogue.receive(
        region=region, valid_from=timezone.localdate(now) + 10 * DAY, whole=False, name="catalogue.csv",
        content=io.BytesIO("\n".join(lines).encode()), by=first, at=now,
    )  # fmt: skip
    catalogue.read(file_id=listed.pk, at=now)


def _rules(now: datetime.datetime) -> None:
    """A draft by the first administrator with half the outpatient deductible, tried on the last bills: the second one may
    publish it."""
    first = User.objects.get(username="r0001")
    version = Scheme.objects.get(region=REGION, insurance="employee", kind="outpatient", valid_to=None)
    draft = drafts.make(version=version, by=first, at=now)
    text = draft.text.replace("500", "400", 1)
    draft = drafts.edit(draft=draft, text=text, by=first, at=now)
    trial = trials.start(draft=draft, by=first, at=now)
    while trials.work(trial_id=trial.pk, seconds=30) != trials.Stopped.STOPPED:
        pass


# An institution that does not agree


def _pharmacy(today: datetime.date) -> None:
    """Yesterday's sales of a pharmacy over the gateway; its file of them lacks one and has another amount in one."""
    institution = Institution.objects.get(code=PHARMACY)
    key = InstitutionKey.objects.get(institution=institution, variant=Variant.X_TIF)
    buyers = [_person(who) for who in (cast.MEMBER, cast.WIFE, cast.FATHER)]
    moment = cases.at(today - DAY, 17)
    with clock.standing(moment):
        sold = [
            _sale(key, buyer, moment, price) for buyer, price in zip(buyers, ("46.20", "88.00", "19.50"), strict=True)
        ]
    with clock.standing(moment + datetime.timedelta(hours=4)):
        _compare(key, today - DAY, sold, clock.now())
    watch_reconciliation()


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
        "clr_type": "41", "setl_optins": REGION, "stmt_begndate": f"{day}", "stmt_enddate": f"{day} 23:59:59", **sums,
        "fixmedins_setl_cnt": len(rows), "refd_setl_flag": "", "fixmedins_refd_setl_flag": "0",
        "file_qury_no": kept.number, "cash_payamt": "0",
    }  # fmt: skip
    _call(key, "3202", {"data": given}, at)
