"""One visit at the till, from the choice of the patient to the reversal. It is kept in the session, which is encrypted."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts.money import ZERO, fen
from settlements.models import CatalogueItem

KEY = "till"
MOST_ITEMS = 20
# A session holds so many messages; the first ones of a longer visit are let go.
MOST_MESSAGES = 40


class Stage(StrEnum):
    """How far a visit is."""

    BASKET = "basket"
    QUOTED = "quoted"
    SETTLED = "settled"
    REVERSED = "reversed"


@dataclass
class Item:
    """A line of the basket; quantity and price in yuan as texts, for the session holds JSON. `cut`: how the gateway
    classified the line, once it was asked."""

    code: str
    name: str
    item_class: str
    quantity: str
    price: str
    cut: dict[str, Any] | None = None

    @property
    def amount(self) -> Decimal:
        """Yuan."""
        return fen(Decimal(self.quantity) * Decimal(self.price))

    @property
    def class_name(self) -> str:
        """甲类, in the reader's language."""
        return str(CatalogueItem.Class(self.item_class).label)

    @property
    def preself(self) -> Decimal:
        """Yuan paid up front (先行自付), by the gateway."""
        return self._cut("preselfpay_amt")

    @property
    def outside(self) -> Decimal:
        """Yuan outside the catalogue or over its price limit, by the gateway."""
        return self._cut("fulamt_ownpay_amt") + self._cut("overlmt_amt")

    def _cut(self, name: str) -> Decimal:
        return Decimal(str((self.cut or {}).get(name) or 0))

    @property
    def sent(self) -> list[str]:
        """What the gateway is told of it."""
        return [self.code, self.quantity, self.price]


@dataclass
class Paid:
    """A quote, a settlement or a reversal: the node setlinfo of the answer, and payer -> yuan in the order of the bar."""

    info: dict[str, Any]
    shares: dict[str, str]

    @property
    def total(self) -> Decimal:
        return abs(Decimal(str(self.info["medfee_sumamt"])))


@dataclass
class Visit:
    """What the till knows. `member`: public ID of the patient, of whom `person` is what 1101 said; `begun`: moment of the
    visit as it is sent; `uploaded`: the lines as the gateway has them; `settle_msgid`: the number under which the quoted
    basket will be settled, however often the button is pressed; `msgids`: transaction -> number of a message whose answer
    is not known; `step`: the one in which that happened."""

    institution: str
    pharmacy: bool
    member: str
    begun: str
    number: str
    person: dict[str, Any] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    flag: str = "1"
    mdtrt_id: str = ""
    diagnosed: bool = False
    uploaded: list[list[str]] = field(default_factory=list)
    quote: Paid | None = None
    settled: Paid | None = None
    reversed: Paid | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0
    settle_msgid: str = ""
    msgids: dict[str, str] = field(default_factory=dict)
    step: str = ""

    @property
    def stage(self) -> Stage:
        if self.reversed:
            return Stage.REVERSED
        if self.settled:
            return Stage.SETTLED
        return Stage.QUOTED if self.quote else Stage.BASKET

    @property
    def unsure(self) -> bool:
        """Whether it is not known what the last message did."""
        return bool(self.msgids)

    @property
    def may_change(self) -> bool:
        """Whether the basket may: not once it is settled, nor while it is not known whether it is."""
        return not self.settled and not self.unsure

    @property
    def total(self) -> Decimal:
        """Yuan."""
        return sum((item.amount for item in self.items), ZERO)

    def keep(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as the next of this visit."""
        self.sent += 1
        message["number"] = self.sent
        self.messages = [*self.messages, message][-MOST_MESSAGES:]
        return message

    def message(self, number: int) -> dict[str, Any] | None:
        return next((one for one in self.messages if one["number"] == number), None)


def load(session: SessionBase) -> Visit | None:
    """The visit of a browser; None before one begins, and for what an older till has left there."""
    kept = session.get(KEY)
    if kept is None:
        return None
    try:
        visit = Visit(**kept)
        visit.items = [Item(**item) for item in kept["items"]]
        for name in ("quote", "settled", "reversed"):
            setattr(visit, name, Paid(**kept[name]) if kept[name] else None)
    except (TypeError, KeyError):
        return None
    return visit


def save(session: SessionBase, visit: Visit) -> None:
    session[KEY] = asdict(visit)


def forget(session: SessionBase) -> None:
    session.pop(KEY, None)
