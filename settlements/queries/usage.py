"""Counters of a benefit year as they stand, without a lock."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

# Not = ANY: for a list of unknown length no plan is kept, and making one takes longer than running it.
READ = "SELECT benefit_year, counter, amount FROM settlements_usage WHERE member_id = %s AND benefit_year IN ({years})"


def usage_of(member_id: int, years: Iterable[int]) -> dict[int, dict[str, Decimal]]:
    """Benefit year -> counter -> yuan used."""
    wanted = list(years)
    usage: dict[int, dict[str, Decimal]] = {year: {} for year in wanted}
    if not wanted:
        return usage
    with connection.cursor() as cursor:
        cursor.execute(READ.format(years=", ".join(["%s"] * len(wanted))), [member_id, *wanted])
        for year, counter, amount in cursor.fetchall():
            usage[year][counter] = amount
    return usage
