"""Counters of a benefit year as they stand, without a lock."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import connection

READ = "SELECT benefit_year, counter, amount FROM settlements_usage WHERE member_id = %s AND benefit_year = ANY(%s)"


def usage_of(member_id: int, years: Iterable[int]) -> dict[int, dict[str, Decimal]]:
    """Benefit year -> counter -> yuan used."""
    wanted = list(years)
    usage: dict[int, dict[str, Decimal]] = {year: {} for year in wanted}
    with connection.cursor() as cursor:
        cursor.execute(READ, [member_id, wanted])
        for year, counter, amount in cursor.fetchall():
            usage[year][counter] = amount
    return usage
