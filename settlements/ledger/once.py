"""Idempotency around a whole action: the first answer to a key is kept and repeated, a refusal too."""

import datetime
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.errors import KeyReused, Refused

Answer = dict[str, Any]

CLAIM = """
INSERT INTO settlements_ledgertransaction
    (kind, business_date, recorded_at, region_id, scope, key, request_hash, refused, by_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, '', %s)
ON CONFLICT (scope, key) DO NOTHING RETURNING id
"""
EARLIER = "SELECT request_hash, answer FROM settlements_ledgertransaction WHERE scope = %s AND key = %s"
ANSWER = "UPDATE settlements_ledgertransaction SET answer = %s, refused = %s, reverses_id = %s WHERE id = %s"


def request_hash(request: Answer) -> str:
    """A digest of what was asked, by which the same key with another request is told apart; 64 hex digits."""
    return sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()


def once(
    *,
    scope: str,
    key: str,
    request: Answer,
    kind: str,
    on: datetime.date,
    region_id: str,
    by_id: int | None,
    work: Callable[[int], Answer],
    reverses_id: int | None = None,
) -> Answer:
    """Do `work(transaction id)` for the first request with this scope and key; repeat its answer to every later one.

    The key is claimed before anything is loaded, so a twin waits here and then reads the answer. A `Refused` of the
    work undoes its effects (savepoint) and is kept as the answer. Raises that Refused, now and at each repetition,
    and KeyReused when the same key comes with another request.
    """
    digest = request_hash(request)
    # Inside another transaction no savepoint: the one around the work is enough, for the claim itself refuses nothing.
    with transaction.atomic(savepoint=False):
        transaction_id = _claim(scope, key, digest, kind, on, region_id, by_id)
        if transaction_id is None:
            first_digest, answer = _earlier(scope, key)
        else:
            first_digest = digest
            answer = _work(work, transaction_id)
            with connection.cursor() as cursor:
                refused = answer.get("refused", "")
                reverses = None if refused else reverses_id
                cursor.execute(ANSWER, [json.dumps(answer, default=str), refused, reverses, transaction_id])
    if first_digest != digest:
        raise KeyReused(key)
    if "refused" in answer:
        raise Refused(answer["refused"], **answer["params"])
    return answer


def _claim(
    scope: str, key: str, digest: str, kind: str, on: datetime.date, region_id: str, by_id: int | None
) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [kind, on, clock.now(), region_id, scope, key, digest, by_id])
        row = cursor.fetchone()
    return row[0] if row else None


def _earlier(scope: str, key: str) -> tuple[str, Answer]:
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, [scope, key])
        first_digest, answer = cursor.fetchone()
    return first_digest, json.loads(answer) if isinstance(answer, str) else answer


def _work(work: Callable[[int], Answer], transaction_id: int) -> Answer:
    try:
        with transaction.atomic():
            return work(transaction_id)
    except Refused as refusal:
        return {"refused": refusal.code, "params": refusal.params}
