"""The ledger: personal accounts, their append-only entries and the counters of a benefit year.

`once` wraps an action in its idempotency key; `open` locks; `Books.post` rolls what moves and writes; `balances` reads.
"""

from settlements.ledger.balances import Balance, balances
from settlements.ledger.books import Books, Movement, OpenAccount, Room, again_locked, locks_first, open, opened
from settlements.ledger.once import Decided, once
from settlements.ledger.wallets import moment

__all__ = [
    "Balance",
    "Books",
    "Decided",
    "Movement",
    "OpenAccount",
    "Room",
    "again_locked",
    "balances",
    "locks_first",
    "moment",
    "once",
    "open",
    "opened",
]
