from settlements.models.books import Credit, Entry, LedgerTransaction, PersonalAccount, Usage
from settlements.models.parameters import CatalogueItem, CreditRule, Scheme
from settlements.models.rollover import RolloverChunk, RolloverRun
from settlements.models.settlement import Settlement, SettlementPayer

__all__ = [
    "CatalogueItem",
    "Credit",
    "CreditRule",
    "Entry",
    "LedgerTransaction",
    "PersonalAccount",
    "RolloverChunk",
    "RolloverRun",
    "Scheme",
    "Settlement",
    "SettlementPayer",
    "Usage",
]
