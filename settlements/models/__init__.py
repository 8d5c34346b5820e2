from settlements.models.books import Clawback, Credit, Entry, LedgerTransaction, PersonalAccount, Usage
from settlements.models.parameters import CatalogueItem, CreditRule, Scheme
from settlements.models.rollover import AdjustmentChunk, RolloverAdjustment, RolloverChunk, RolloverRun
from settlements.models.settlement import Settlement, SettlementPayer
from settlements.models.withdrawal import Payee, Payout, WithdrawalApplication

__all__ = [
    "AdjustmentChunk",
    "CatalogueItem",
    "Clawback",
    "Credit",
    "CreditRule",
    "Entry",
    "LedgerTransaction",
    "Payee",
    "Payout",
    "PersonalAccount",
    "RolloverAdjustment",
    "RolloverChunk",
    "RolloverRun",
    "Scheme",
    "Settlement",
    "SettlementPayer",
    "Usage",
    "WithdrawalApplication",
]
