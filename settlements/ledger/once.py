"""Idempotency around a whole action: the first answer to a key is kept and repeated, a refusal too."""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection, transaction

from accounts import clock
from accounts.calls import Call, from_json, send
from accounts.errors import KeyReused, Refused

Answer = dict[str, Any]

EARLIER = "SELECT request_hash, answer FROM settlements_ledgertransaction WHERE scope = %s AND key = %s"


# Made once: json.dumps makes one for each request.
_SORTED = json.JSONEncoder(sort_keys=True, default=str)


@dataclass(frozen=True)
class Decided:
    """What a work has decided and not yet written: its calls are sent together with the answer, in one statement.

    `kept`: the answer was written with the claim, as it was known beforehand.
    """

    answer: Answer
    calls: Sequence[Call]
    kept: bool = False


def request_hash(request: Answer) -> str:
    """A digest of what was asked, by which the same key with another request is told apart; 64 hex digits."""
    return sha256(_SORTED.encode(request).encode()).hexdigest()


def once(
    *,
    scope: str,
    key: str,
    request: Answer,
    kind: str,
    on: datetime.date,
    region_id: str,
    by_id: int | None,
    work: Callable[..., Answer | Decided],
    reverses_id: int | None = None,
    begin: Callable[[list[Any]], Call] | None = None,
    unsent: list[Call] | None = None,
) -> Answer:
    """Do `work(transaction id)` for the first request with this scope and key; repeat its answer to every later one.

    The key is claimed before anything is loaded, so a twin waits here and then reads the answer. `begin` makes of the
    arguments of the claim a call that claims and does more; it gives a JSON list, of which what stands behind the
    transaction id is handed to the work too. A `Refused` of the work undoes all that it did and is kept as the answer.
    Raises that Refused, now and at each repetition, and KeyReused when the same key comes with another
    request. `unsent` is for a caller who has a transaction of his own: there he finds the calls that write, to be sent
    with his own before he commits; a Refused he undoes as a whole and keeps himself.
    """
    digest = request_hash(request)
    claimed = [kind, on, clock.now(), region_id, scope, key, digest, by_id]
    claim = Call("ledger_claim(%s, %s, %s, %s, %s, %s, %s, %s)", claimed)
    try:
        # A transaction of its own, or a savepoint inside another one: either way a refusal takes back claim and all.
        with transaction.atomic(savepoint=unsent is None):
            (found,) = send(begin(claimed) if begin else claim)
            if found is None:
                first_digest, answer = _earlier(scope, key)
            else:
                transaction_id, *looked = from_json(found) if begin else [found]
                done = work(transaction_id, *looked)
                first_digest, answer = digest, _answer(transaction_id, done, reverses_id, unsent)
    except Refused as refusal:
        if unsent is not None:
            raise
        first_digest, answer = _refuse(claim, scope, key, digest, refusal)
    if first_digest != digest:
        raise KeyReused(key)
    if "refused" in answer:
        raise Refused(answer["refused"], **answer["params"])
    return answer


def _answer(
    transaction_id: int, done: Answer | Decided, reverses_id: int | None = None, unsent: list[Call] | None = None
) -> Answer:
    decided = done if isinstance(done, Decided) else Decided(done, ())
    answer, calls = decided.answer, [*decided.calls]
    if not decided.kept:
        written = json.dumps(answer, default=str)
        kept = [transaction_id, written, answer.get("refused", ""), reverses_id]
        calls.append(Call("ledger_answer(%s, %s::jsonb, %s, %s)", kept))
    if unsent is None:
        send(*calls)
    else:
        unsent += calls
    return answer


def _refuse(claim: Call, scope: str, key: str, digest: str, refusal: Refused) -> tuple[str, Answer]:
    """Keep a refusal as the answer. A twin who waited may have come first since the claim was taken back: then his."""
    with transaction.atomic(savepoint=False):
        (transaction_id,) = send(claim)
        if transaction_id is None:
            return _earlier(scope, key)
        return digest, _answer(transaction_id, {"refused": refusal.code, "params": refusal.params})


def _earlier(scope: str, key: str) -> tuple[str, Answer]:
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, [scope, key])
        first_digest, answer = cursor.fetchone()
    return first_digest, json.loads(answer) if isinstance(answer, str) else answer
