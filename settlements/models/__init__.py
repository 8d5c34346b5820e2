from settlements.models.books import Clawback, Credit, Entry, LedgerTransaction, PersonalAccount, Usage
from settlements.models.parameters import CatalogueItem, CreditRule, Scheme
from settlements.models.rollover import AdjustmentChunk, RolloverAdjustment, RolloverChunk, RolloverRun
from settlements.models.settlement import Settlement, SettlementPayer

__all__ = [
from settlements.models.withdrawal import Payee, Payout, WithdrawalApplication
    "AdjustmentChunk",
    "CatalogueItem",
    "Clawback",
    "Credit",
    "CreditRule",
    "Entry",
    "LedgerTransaction",
    "PersonalAccount",
    "RolloverAdjustment",
    "RolloverChunk",
    "RolloverRun",
    "Payee",
    "Payout",
    "Scheme",
    "Settlement",
    "SettlementPayer",
    "Usage",
]
    "WithdrawalApplication",
