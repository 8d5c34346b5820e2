from settlements.models.books import Credit, Entry, LedgerTransaction, PersonalAccount, Usage
from settlements.models.parameters import CatalogueItem, CreditRule, Scheme
from settlements.models.rollover import AdjustmentChunk, RolloverAdjustment, RolloverChunk, RolloverRun
from settlements.models.settlement import Settlement, SettlementPayer

__all__ = [
    "AdjustmentChunk",
    "CatalogueItem",
    "Credit",
    "CreditRule",
    "Entry",
    "LedgerTransaction",
    "PersonalAccount",
    "RolloverAdjustment",
    "RolloverChunk",
    "RolloverRun",
    "Scheme",
    "Settlement",
    "SettlementPayer",
    "Usage",
]
