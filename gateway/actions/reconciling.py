"""3201 and 3202: an institution's settlements against ours, in sum and one by one."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.errors import Refused
from accounts.models import Institution
from accounts.money import ZERO, plain
from gateway import difference_texts, fields
from gateway.actions import differences, files
from gateway.domain import reconciling
from gateway.domain.packing import Unpackable, pack, unpack
from gateway.domain.reconciling import AMOUNTS, REVERSED_HERE, Compared, Row
from gateway.models import GatewayFile, Reconciliation, VisitSettlement
from gateway.queries.reconciling import (
    REFUNDS_ALONE,
    WITHOUT_REFUNDS,
    Scope,
    Totals,
    corrections,
    insurance_of,
    insurances_of,
    region_of,
    rows,
    rows_by_number,
    totals,
)

BALANCED, DIFFERS = "0", "1"
SUMS = {"medfee_sumamt", "fund_pay_sumamt", "acct_pay", "cash_payamt", "fixmedins_setl_cnt"}
MOST_DAYS = {Reconciliation.TOTALS: 366, Reconciliation.DETAILS: 92}
MOST_LINES = 200_000
# Of a detail file once unpacked: the longest lines, and some room.
MOST_BYTES = 64 * files.MEGABYTE
# What the interface has for nothing inside a text file.
NOTHING = "null"


def compare_totals(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime
) -> dict[str, Any]:
    """Answer 3201: whether the institution's sums are ours, to the fen.

    Raises Refused: agency_unknown, insutype_unknown, period_backwards, period_long.
    """
    data = _filled(given["data"])
    scope = _scope(institution, data, Reconciliation.TOTALS, insutype=data["insutype"])
    theirs = {name: data[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")}
    ours = totals(scope)
    balanced = _balanced(data, theirs, ours, scope.refunds)
    if not balanced and scope.refunds == REFUNDS_ALONE:
        heard = _heard_totals(scope)
        if _balanced(data, theirs, heard, scope.refunds):
            ours, balanced = heard, True
    held = _sums(ours)
    _keep(scope, Reconciliation.TOTALS, msgid, at, data, theirs, held, ours, balanced=balanced)
    return {
        "stmtinfo": {
            "setl_optins": data["setl_optins"],
            "stmt_rslt": BALANCED if balanced else DIFFERS,
            "stmt_rslt_dscr": _told(ours, balanced),
        }
    }


def compare_details(
    *, institution: Institution, msgid: str, given: dict[str, Any], at: datetime.datetime
) -> dict[str, Any]:
    """Answer 3202: every row of the institution's file and of ours, each with its result, as a file for 9102.

    What does not agree is kept as a difference for the region's staff; what agrees now closes an earlier one.
    `warn_msg` says when the sums of the call are not those of the file. Raises Refused: agency_unknown, period_backwards,
    period_long, file_unknown, file_gone, what `_read` raises, and file_total_other when they are not and rows of ours are
    missing: of half a file the other half would be told to be taken back.
    """
    data = _filled(given["data"])
    scope = _scope(institution, data, Reconciliation.DETAILS)
    file = files.file_of(institution, data["file_qury_no"], at=at)
    given_rows = _read(files.content_of(file))
    other = _sum_other(given_rows, data)
    scope = scope if other else _narrowed(scope, given_rows)
    compared = _compared(scope, given_rows)
    found = [one for one in compared if one.kind]
    if other and any(one.theirs is None for one in found):
        raise Refused("file_total_other", **other)
    result = _result(institution, compared, scope, at)
    theirs = {name: data[name] for name in ("medfee_sumamt", "fund_pay_sumamt", "cash_payamt")}
    ours = totals(scope)
    held = {"medfee_sumamt": ours.total, "fund_pay_sumamt": ours.fund, "cash_payamt": ours.cash}
    run = _keep(
        scope, Reconciliation.DETAILS, msgid, at, data, theirs, held, ours,
        balanced=not found, differences_found=len(found), uploaded=file, result=result,
    )  # fmt: skip
    differences.note(run=run, compared=compared, at=at)
    answer = {"fileinfo": {"file_qury_no": result.number, "filename": result.name, "dld_endtime": result.kept_until}}
    return answer | (
        {"warn_msg": _("The call says %(amount)s for %(field)s, its file %(found)s") % other} if other else {}
    )


def _filled(data: dict[str, Any]) -> dict[str, Any]:
    """Sums over nothing come as null or "" from a database of an institution."""
    return {name: ZERO if value is None and name in SUMS else value for name, value in data.items()}


def _scope(institution: Institution, data: dict[str, Any], infno: str, *, insutype: str = "") -> Scope:
    region = region_of(data["setl_optins"])
    if region is None:
        raise Refused("agency_unknown", agency=data["setl_optins"])
    insurance = insurance_of(insutype) if insutype else ""
    if insurance is None:
        raise Refused("insutype_unknown", insutype=insutype)
    begins_on, ends_on = data["stmt_begndate"], data["stmt_enddate"]
    if ends_on < begins_on:
        raise Refused("period_backwards")
    if (ends_on - begins_on).days >= MOST_DAYS[infno]:
        raise Refused("period_long", days=MOST_DAYS[infno])
    return Scope(
        institution=institution,
        begins_on=begins_on,
        ends_on=ends_on,
        region=region,
        clr_type=data["clr_type"] or "",
        insurance=insurance,
        refunds=data["refd_setl_flag"] or "",
    )


def _narrowed(scope: Scope, theirs: list[Row]) -> Scope:
    """Of one insurance, where the institution looks for what differed in the totals of that insurance.

    3201 names an insurance and 3202 does not. After a 3201 that did not agree some send the rows of that insurance alone;
    all others would then be told as missing there, to be corrected (2601), and would be taken back.
    """
    asked = Reconciliation.objects.filter(
        institution=scope.institution, infno=Reconciliation.TOTALS, region=scope.region, clr_type=scope.clr_type,
        begins_on=scope.begins_on, ends_on=scope.ends_on,
    ).order_by("-pk").first()  # fmt: skip
    if asked is None or asked.balanced:
        return scope
    one = replace(scope, insurance=asked.insurance)
    alone = insurances_of(scope.institution, {row.setl_id for row in theirs}) <= {asked.insurance}
    return one if alone and totals(one) != totals(scope) else scope


def _sums(ours: Totals) -> dict[str, Decimal]:
    return {"medfee_sumamt": ours.total, "fund_pay_sumamt": ours.fund, "acct_pay": ours.accounts}


def _balanced(data: dict[str, Any], theirs: dict[str, Decimal], ours: Totals, refunds: str) -> bool:
    return _same(theirs, _sums(ours), refunds) and _counted(int(data["fixmedins_setl_cnt"]), ours)


def _same(theirs: dict[str, Decimal], ours: dict[str, Decimal], refunds: str) -> bool:
    """To the fen; refunds alone may come without their minus."""
    return theirs == ours or (refunds == REFUNDS_ALONE and theirs == {name: -amount for name, amount in ours.items()})


def _counted(said: int, ours: Totals) -> bool:
    """Whether it is our number of settlements: with the reversals, without them, or with those taken off.

    The text does not say which; the sums do not depend on it. Nor do they on what was settled and taken back within the
    period: of one whose answer was lost, and which was corrected (2601), the institution knows nothing.
    """
    both = ours.settled + ours.reversed
    return (
        said in range(both - 2 * ours.undone, both + 1, 2)
        or said in range(ours.settled - ours.undone, ours.settled + 1)
        or said == ours.settled - ours.reversed
    )


def _told(ours: Totals, balanced: bool) -> str:
    if balanced:
        return str(_("The totals agree"))
    facts = {
        "count": ours.settled,
        "reversals": ours.reversed,
        "total": plain(ours.total),
        "fund": plain(ours.fund),
        "accounts": plain(ours.accounts),
    }
    return str(
        _(
            "The totals differ. Here: %(count)s settlements, %(reversals)s reversals, total %(total)s, funds %(fund)s, "
            "accounts %(accounts)s yuan. Upload the details (9101) and compare them (3202)"
        )
        % facts
    )


def _keep(
    scope: Scope,
    infno: str,
    msgid: str,
    at: datetime.datetime,
    data: dict[str, Any],
    theirs: dict[str, Decimal],
    held: dict[str, Decimal],
    ours: Totals,
    **more: Any,
) -> Reconciliation:
    counted = {"settled": ours.settled, "reversed": ours.reversed}
    return Reconciliation.objects.create(
        institution=scope.institution,
        infno=infno,
        msgid=msgid,
        region=scope.region,
        insurance=scope.insurance,
        clr_type=scope.clr_type,
        refunds=scope.refunds,
        begins_on=scope.begins_on,
        ends_on=scope.ends_on,
        theirs={"count": int(data["fixmedins_setl_cnt"]), **{name: plain(amount) for name, amount in theirs.items()}},
        ours={**counted, **{name: plain(amount) for name, amount in held.items()}},
        at=at,
        **more,
    )


def _read(content: bytes) -> list[Row]:
    """The rows of a detail file: TXT, tabs, UTF-8, packed or not.

    Raises Refused: file_broken, file_locked, file_several, file_too_large, file_not_utf8, file_too_many_lines,
    line_columns, and what `fields.read_fields` raises, with the line.
    """
    try:
        text = unpack(content, MOST_BYTES).decode("utf-8-sig")
    except Unpackable as error:
        raise Refused(error.code, megabytes=MOST_BYTES // files.MEGABYTE) from None
    except UnicodeDecodeError:
        raise Refused("file_not_utf8") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise Refused("file_too_many_lines", most=MOST_LINES)
    columns = fields.tables(Reconciliation.DETAILS).columns_in
    # One client writes the names of the columns first.
    if lines and lines[0][1].split("\t")[0].strip().lower() == columns[0].name:
        lines = lines[1:]
    return [_row(columns, number, line) for number, line in lines]


def _row(columns: Sequence[fields.Field], number: int, line: str) -> Row:
    cells = line.rstrip("\r").split("\t")
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        raise Refused("line_columns", line=number, found=len(cells), wanted=len(columns))
    named = {column.name: cell for column, cell in zip(columns, cells, strict=True)}
    read = fields.read_fields(columns, named, _("line %(line)s") % {"line": number})
    amounts = (read["medfee_sumamt"], read["fund_pay_sumamt"], read["acct_pay"])
    # The flag stands on both rows of a refunded settlement in some systems: the sign says which is the reversal.
    reversal = any(amount < 0 for amount in amounts)
    return Row(read["setl_id"], read["mdtrt_id"], read["psn_no"], amounts, reversal, line=number)


def _sum_other(found: Sequence[Row], data: dict[str, Any]) -> dict[str, str]:
    """Where the file comes to something else than the call says: field, amount of the call and of the file; else empty."""
    for place, name in enumerate(("medfee_sumamt", "fund_pay_sumamt")):
        amount = sum((row.amounts[place] for row in found), ZERO)
        if abs(amount) != abs(data[name]):
            return {"field": name, "amount": plain(data[name]), "found": plain(amount)}
    return {}


def _compared(scope: Scope, theirs: list[Row]) -> list[Compared]:
    ours = rows(scope)
    known = reconciling.origins(ours)
    numbers = {row.setl_id for row in ours} | known.keys()
    elsewhere = rows_by_number(scope.institution, {row.setl_id for row in theirs} - numbers)
    found = reconciling.resolved(theirs, known | reconciling.origins(elsewhere))
    of_period = {row.setl_id for row in ours}
    if scope.refunds == WITHOUT_REFUNDS:
        ours = [row for row in ours if not row.reversal or row.origin in of_period]
    elif scope.refunds == REFUNDS_ALONE:
        ours, found = ([row for row in side if row.reversal] for side in (ours, found))
        named = {row.origin for row in found}
        ours = [row for row in ours if row.origin in named] + _heard(
            scope, [row for row in ours if row.origin not in named], of_period
        )
    return reconciling.compare(ours, found, elsewhere)


def _heard(scope: Scope, reversals: list[Row], of_period: set[str]) -> list[Row]:
    """Reversals without those of which the institution need not know: of what was settled and corrected (2601) within the
    period it had no answer. All its lines say it; those of refunds alone, and their sums, do not."""
    unheard = corrections(scope.institution, {row.msgid for row in reversals if row.origin in of_period})
    return [row for row in reversals if row.msgid not in unheard]


def _heard_totals(scope: Scope) -> Totals:
    """The sums of such reversals alone."""
    ours = rows(scope)
    heard = _heard(scope, [row for row in ours if row.reversal], {row.setl_id for row in ours})
    total, fund, accounts = (sum((row.amounts[place] for row in heard), ZERO) for place in range(3))
    cash = total - fund - accounts
    return Totals(settled=0, reversed=len(heard), undone=0, total=total, fund=fund, accounts=accounts, cash=cash)


def _result(institution: Institution, compared: Iterable[Compared], scope: Scope, at: datetime.datetime) -> GatewayFile:
    name = f"3202_{institution.code}_{scope.begins_on:%Y%m%d}_{scope.ends_on:%Y%m%d}.txt"
    text = "".join(f"{line}\n" for line in _lines(compared, scope))
    return files.keep(
        institution=institution,
        way=GatewayFile.RESULT,
        name=f"{name}.zip",
        content=pack(name, text.encode()),
        at=at,
    )


def _lines(compared: Iterable[Compared], scope: Scope) -> Iterator[str]:
    """One line a row, in the order of the columns; amounts are ours where we have the row."""
    remarks: dict[tuple[str, str], str] = {("", ""): NOTHING}
    for one in compared:
        row = one.ours or one.theirs
        if row is None:
            continue
        category = difference_texts.category(row.clr_type, scope.clr_type, scope.institution) if one.kind else ""
        if (one.kind, category) not in remarks:
            remarks[one.kind, category] = difference_texts.remark(one.kind, category)
        cells = [
            row.psn_no,
            row.mdtrt_id,
            row.setl_id,
            one.ours.msgid if one.ours else NOTHING,
            DIFFERS if one.kind else BALANCED,
            "1" if row.reversal else "0",
            _memo(one, remarks[one.kind, category]),
            *map(plain, row.amounts),
        ]
        yield "\t".join(cells)


def _memo(one: Compared, remark: str) -> str:
    if one.kind == REVERSED_HERE and one.ours and one.ours.msgid.startswith(VisitSettlement.AT_WINDOW):
        return " ".join([remark, _("It was reversed at a window of the insurance office.")])
    if not one.kind:
        return _strange(one) or remark
    if one.kind != AMOUNTS or one.theirs is None:
        return remark
    sent = " / ".join(map(plain, one.theirs.amounts))
    return " ".join([remark, _("Your file says %(sent)s.") % {"sent": sent}])


def _strange(one: Compared) -> str:
    """The money agrees, but the institution's row names another person or visit: a reversal sent by it would not pass."""
    if one.ours is None or one.theirs is None:
        return ""
    if (one.ours.psn_no, one.ours.mdtrt_id) == (one.theirs.psn_no, one.theirs.mdtrt_id):
        return ""
    return _("The amounts agree; psn_no and mdtrt_id are ours. Correct yours.")
