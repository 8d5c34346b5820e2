"""The one window on balances: what an account not yet rolled shows is what its row will hold once rolled."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import connection

from settlements.ledger.rolling import ROLLED
from settlements.ledger.wallets import OVERDUE, moment

# Of an account `a`, as `shown` takes them, for whoever reads more with them; `on` and `moment` as `balances` has them.
# Most accounts are in the day's year, and to be told so costs a third of working out what rolling would give.
# The last column is a transfer that nobody accepted in time: it is back, whether somebody has brought it back or not.
HELD = f"""
a.id, a.benefit_year, a.current, a.historical, a.debt, a.version, a.benefit_year < (
    SELECT y.year FROM accounts_benefityear y
    WHERE y.region_id = a.region_id AND y.starts_on <= %(on)s ORDER BY y.starts_on DESC LIMIT 1
), (SELECT sum(t.amount) FROM settlements_wallettransfer t WHERE t.account_id = a.id AND {OVERDUE})
"""
HELD_COLUMNS = 8
# Not = ANY: for a list of unknown length no plan is kept, and making one takes longer than running it.
READ = f"SELECT {HELD} FROM settlements_personalaccount a WHERE a.id IN ({{ids}})"
SHOWN = (
    ROLLED
    + """
SELECT DISTINCT ON (id) id, year, current, historical, debt, version FROM rolled ORDER BY id, year DESC
"""
)


@dataclass(frozen=True)
class Balance:
    """Yuan in an account on a day, in the benefit year of that day."""

    benefit_year: int
    current: Decimal
    historical: Decimal
    debt: Decimal
    version: int

    @property
    def total(self) -> Decimal:
        """Both buckets, in yuan; a debt is shown beside, never taken off."""
        return self.current + self.historical


def balances(account_ids: Iterable[int], on: datetime.date) -> dict[int, Balance]:
    """Account id -> balance on a day; accounts that do not exist are missing.

    From the first instant of a new benefit year this shows the rolled values, whether the batch has come by or not.
    """
    wanted = {f"id{place}": account_id for place, account_id in enumerate(account_ids)}
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        marks = ", ".join(f"%({name})s" for name in wanted)
        cursor.execute(READ.format(ids=marks), {"on": on, "moment": moment(on), **wanted})
        return shown(cursor.fetchall(), on)


def shown(rows: Iterable[Sequence[Any]], on: datetime.date) -> dict[int, Balance]:
    """The same out of rows of `HELD`."""
    found = {row[0]: Balance(*row[1:6]) for row in rows}
    if behind := [row[0] for row in rows if row[6]]:
        with connection.cursor() as cursor:
            cursor.execute(SHOWN, [behind, on])
            found |= {row[0]: Balance(*row[1:]) for row in cursor.fetchall()}
    for account_id, back in ((row[0], row[7]) for row in rows if row[7]):
        found[account_id] = replace(found[account_id], historical=found[account_id].historical + back)
    return found
