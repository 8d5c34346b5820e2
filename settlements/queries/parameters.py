"""Schemes and credit rules as the pure heart reads them, parsed once a version; and the rules kept with the region."""

import datetime
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from accounts.errors import Refused
from accounts.models import Region
from settlements.domain.crediting import CreditRule
from settlements.domain.scheme import Scheme

# A row may be corrected in place, so the cache goes by content: an id alone would serve the old version for ever.
SCHEME_ON = """
SELECT id, md5(data::text) FROM settlements_scheme
WHERE region_id = %s AND insurance = %s AND kind = %s AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
"""
CREDIT_ON = """
SELECT id, md5(data::text) FROM settlements_creditrule
WHERE region_id = %s AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
"""


@dataclass(frozen=True)
class SchemeVersion:
    """A scheme with the id of its row."""

    id: int
    scheme: Scheme


def scheme_on(region_id: str, insurance: str, kind: str, on: datetime.date) -> SchemeVersion:
    """The scheme of a region for an insurance and a kind of care on a day of care. Raises Refused("not_covered")."""
    row = _one(SCHEME_ON, [region_id, insurance, kind, on, on])
    if row is None:
        raise Refused(
            "not_covered", why="no_scheme", region=region_id, insurance=insurance, kind=kind, on=on.isoformat()
        )
    return scheme_version(*row)


@lru_cache(maxsize=512)
def scheme_version(scheme_id: int, version: str) -> SchemeVersion:
    """The scheme of a row, parsed once for each version of it: any text that changes with the row."""
    return SchemeVersion(scheme_id, Scheme.from_data(_data("settlements_scheme", scheme_id)))


def credit_rule_on(region_id: str, on: datetime.date) -> CreditRule:
    """A region's rule of crediting on a day. Raises Refused("not_covered")."""
    row = _one(CREDIT_ON, [region_id, on, on])
    if row is None:
        raise Refused("not_covered", why="no_scheme", region=region_id, on=on.isoformat())
    return _credit_rule(*row)


def region_rule(region: Region, name: str, on: datetime.date) -> dict[str, Any] | None:
    """The version of a rule (such as `filing`) that holds in a region on a day, as its file has it; None for none."""
    day = on.isoformat()
    for version in region.data.get(name, ()):
        rule = dict(version)
        valid_from, valid_to = rule.pop("valid_from"), rule.pop("valid_to")
        if valid_from <= day and (valid_to is None or day < valid_to):
            return rule
    return None


def _one(sql: str, params: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


def _data(table: str, row_id: int) -> Any:
    data = _one(f"SELECT data FROM {table} WHERE id = %s", [row_id])[0]
    return json.loads(data) if isinstance(data, str) else data


@lru_cache(maxsize=256)
def _credit_rule(row_id: int, digest: str) -> CreditRule:
    return CreditRule.from_data(_data("settlements_creditrule", row_id))
