"""What the bank is to pay, as a file for it."""

import datetime

from django.db import transaction
from django.utils import timezone

from accounts import tables
from accounts.actions import audit
from accounts.enums import Channel
from accounts.models import User
from settlements.queries.claims import reimbursements_visible_to

# The bank reads it, so its titles are in Chinese whatever the language of the supervisor.
TITLES = ["经办编号", "姓名", "开户银行", "银行账号", "金额（元）", "决定日期", "已于此日列入付款文件"]


@transaction.atomic
def payment_file(*, by: User, at: datetime.datetime) -> bytes:
    """The open payments of a supervisor's regions as CSV, with names and bank accounts in full; amounts in yuan.

    That it was taken is recorded for each member, and from then on the bank may have paid: the payment is not dropped any
    more, and the next file tells that it stood in one already.
    """
    rows: list[list[str]] = [TITLES]
    found = reimbursements_visible_to(by).filter(done_on=None, amount__gt=0)
    for row in found.select_for_update(no_key=True, of=("self",)):
        audit.record(
            action="reimbursements_exported",
            by=by,
            at=at,
            member=row.member,
            target=f"case {row.case.number}",
            channel=Channel.WINDOW,
        )
        account = tables.long_number(row.bank_account or "")
        decided = row.decided_on.isoformat()
        before = row.listed_on.isoformat() if row.listed_on else ""
        rows.append([row.case.number, row.member.name, row.bank, account, f"{row.amount:.2f}", decided, before])
        if row.listed_on is None:
            row.listed_on = timezone.localdate(at)
            row.save(update_fields=["listed_on"])
    return tables.write_csv(rows).encode()
