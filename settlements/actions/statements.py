"""Statements of an account on paper and as a table: what stands on the page, issued."""

import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import dates, masks, tables
from accounts.actions import audit
from accounts.amounts import yuan, yuan_signed
from accounts.enums import Channel
from accounts.errors import Refused
from accounts.models import User
from accounts.money import plain
from documents.actions import issue as papers
from documents.models import IssuedDocument
from settlements.models import PersonalAccount
from settlements.queries.crediting import YearCleared
from settlements.queries.member import accounts_visible_to
from settlements.queries.statement import Amounts, Statement, statement
from settlements.queries.wallet import WalletPeriod
from settlements.telling import movements

KIND = "statement"
CHINESE = papers.LANGUAGE


def issue_statement(
    *, account: PersonalAccount, start: datetime.date, end: datetime.date, by: User, at: datetime.datetime
) -> tuple[IssuedDocument, bytes]:
    """The statement of a period as an issued PDF. The period (both days counted) may not end after the day of `at`.

    Raises PermissionDenied, and Refused("not_printable", number=…) where a name cannot be printed.
    """
    told = _statement(account, start, end, by)
    return papers.issue(
        kind=KIND, member=account.member, data=paper(told), by=by, at=at, subject=subject(account, start, end)
    )


def copy_statement(*, document: IssuedDocument, by: User, at: datetime.datetime) -> tuple[IssuedDocument, bytes]:
    """A copy of a statement issued before, marked as one.

    Raises PermissionDenied, and Refused: document_revoked, document_changed (its period has changed since).
    """
    if document.kind != KIND:
        raise Refused("document_changed")
    region, start, end = _about(document)
    account = (
        PersonalAccount.objects.select_related("region", "member")
        .filter(member=document.member_id, region=region)
        .first()
    )
    if account is None:
        raise Refused("document_changed")
    told = _statement(account, start, end, by)
    return papers.reprint(document=document, data=paper(told), by=by, at=at)


def subject(account: PersonalAccount, start: datetime.date, end: datetime.date) -> str:
    """What a statement is about: region and period, from which a copy is made."""
    return f"{account.region_id} {start.isoformat()}/{end.isoformat()}"


def period_of(document: IssuedDocument) -> tuple[datetime.date, datetime.date]:
    """First and last day of an issued statement."""
    return _about(document)[1:]


def _about(document: IssuedDocument) -> tuple[str, datetime.date, datetime.date]:
    region, period = document.subject.split(" ")
    start, end = (datetime.date.fromisoformat(day) for day in period.split("/"))
    return region, start, end


def _statement(account: PersonalAccount, start: datetime.date, end: datetime.date, by: User) -> Statement:
    if not accounts_visible_to(by).filter(pk=account.pk).exists():
        raise PermissionDenied
    return statement(by, account, start, end)


@translation.override(CHINESE)
def paper(told: Statement) -> dict[str, Any]:
    """What documents/typst/statement.typ sets, in Chinese."""
    member, region = told.account.member, told.account.region
    two = region.two_buckets
    facts = [
        ["姓名", member.name],
        ["身份证号", masks.mask_id(member.id_number)],
        ["参保地", region.name],
        ["账户", "职工医保个人账户"],
    ]
    return {
        "title": "个人账户对账单",
        "period": f"{dates.day(told.start)} 至 {dates.day(told.end)}",
        "facts": facts,
        "heads": ["日期", "事项", "当年", "历年", "当年余额", "历年余额"] if two else ["日期", "事项", "金额", "余额"],
        "opening": {"label": "期初余额", "cells": _balance(told.opening, two)},
        "closing": {"label": "期末余额", "cells": _balance(told.closing, two)},
        "rows": [_row(line, two) for line in told.lines],
        "empty": "这段时间没有收支。",
        "sums": _sums(told),
        **_wallet(told.wallet),
        **_credited(told.credited),
        "notes": _notes(told),
    }


def _wallet(period: WalletPeriod | None) -> dict[str, Any]:
    """A part of its own: nothing of it stands in the account's table or sums."""
    if period is None:
        return {}
    rows = [
        [line.on.isoformat(), movements.wallet_what(line), _signed(line.amount), yuan(line.after)]
        for line in period.lines
    ]
    return {
        "wallet": {
            "title": "医保钱包",
            "note": "医保钱包与个人账户、家庭共济分开记账，上面的余额和合计不含钱包。",
            "heads": ["日期", "事项", "金额", "余额"],
            "opening": yuan(period.opening),
            "closing": yuan(period.closing),
            "rows": rows,
        }
    }


def _credited(years: list[YearCleared]) -> dict[str, Any]:
    """As on the page of the account, in the same words."""
    if not years:
        return {}
    return {
        "credited": {
            "title": _("Credits and clearing"),
            "heads": [
                _("Benefit year"),
                _("Monthly base at last"),
                _("Credited"),
                _("Went back on leaving"),
                _("Due by contributions"),
                _("Cleared"),
            ],
            "rows": [_cleared(row) for row in years],
        }
    }


def _cleared(row: YearCleared) -> list[str]:
    done, none = row.clearing, "\N{EM DASH}"
    base = yuan(done.base) if done and done.base is not None else none
    returned = yuan(row.returned) if row.returned else none
    return [
        str(row.year),
        base,
        yuan(row.credited),
        returned,
        yuan(done.due) if done else none,
        yuan(row.cleared) if done else _("not yet"),
    ]


def _balance(amounts: Amounts, two: bool) -> list[str]:
    if two:
        return ["", "", yuan(amounts.current), yuan(amounts.historical)]
    return ["", yuan(amounts.total)]


def _row(line: Any, two: bool) -> list[str]:
    place = movements.place(line)
    what = f"{movements.what(line)}\n{place}" if place else movements.what(line)
    if two:
        moved = [_signed(line.current), _signed(line.historical)]
        return [line.on.isoformat(), what, *moved, yuan(line.current_after), yuan(line.historical_after)]
    return [line.on.isoformat(), what, _signed(line.amount), yuan(line.current_after + line.historical_after)]


def _sums(told: Statement) -> list[dict[str, Any]]:
    sums = [(movements.kind_name(kind), amount) for kind, amount in told.by_kind.items()]
    sums += [("期末比期初", told.change), ("收入", told.came_in), ("支出", told.went_out)]
    # A cell of the list above stays empty where nothing moved; a sum says so.
    blocks = [{"title": "按类合计", "rows": [[name, _signed(amount) or "0.00"] for name, amount in sums]}]
    if told.by_relative:
        rows = [[movements.named(member, relation), yuan(used)] for member, relation, used in told.by_relative]
        blocks.append({"title": "家人使用合计", "rows": rows})
    return blocks


def _notes(told: Statement) -> list[str]:
    notes = ["金额单位：元。当年余额只供本人使用，历年余额可以给家人共济使用。家人的诊断和用药不在本单上。"]
    if not told.account.region.two_buckets:
        notes = ["金额单位：元。家人的诊断和用药不在本单上。"]
    if told.opening.debt or told.closing.debt:
        notes.append(
            f"另有欠款：期初 {yuan(told.opening.debt)}，期末 {yuan(told.closing.debt)}。以后划入的钱先还欠款。"
        )
    return notes


def _signed(amount: Decimal) -> str:
    return yuan_signed(amount) if amount else ""


@transaction.atomic
def export_csv(
    *, account: PersonalAccount, start: datetime.date, end: datetime.date, by: User, at: datetime.datetime
) -> bytes:
    """The lines of a period as CSV in the reader's language, UTF-8 with BOM so that spreadsheets read Chinese.

    Amounts are plain ("1234.50"). Raises PermissionDenied. That it was taken is recorded.
    """
    told = _statement(account, start, end, by)
    audit.record(
        action="statement_exported",
        by=by,
        at=at,
        member=account.member,
        target=f"account {account.pk}",
        details={"from": start.isoformat(), "to": end.isoformat()},
        channel=Channel.WINDOW if by.is_staff else Channel.ONLINE,
    )
    return _csv(told)


def _csv(told: Statement) -> bytes:
    heads = [_("Date"), _("What"), _("Where"), _("This year's balance, change"), _("Earlier years' balance, change")]
    heads += [_("This year's balance after"), _("Earlier years' balance after"), _("Debt after")]
    opening = _("Opening balance of the period")
    rows = [heads, [told.start.isoformat(), opening, "", "0.00", "0.00", *_after(told.opening)]]
    for line in told.lines:
        after = Amounts(line.current_after, line.historical_after, line.debt_after)
        changes = [plain(line.current), plain(line.historical)]
        rows.append([line.on.isoformat(), movements.what(line), movements.place(line), *changes, *_after(after)])
    return tables.write_csv(rows).encode()


def _after(amounts: Amounts) -> list[str]:
    return [plain(amounts.current), plain(amounts.historical), plain(amounts.debt)]
