from settlements.models.books import Clawback, Credit, Entry, LedgerTransaction, PersonalAccount, Usage
from settlements.models.catalogue import CatalogueFault, CatalogueFile, CatalogueRow
from settlements.models.claims import BillReversal, Claim, RecalculatedBill, Recalculation, Reimbursement
from settlements.models.crediting import (
    Clearing,
    Contribution,
    ContributionFault,
    ContributionFile,
    CreditChunk,
    CreditRun,
)
from settlements.models.drafts import RuleDraft, Trial, TrialDrift, TrialPerson
from settlements.models.parameters import CatalogueItem, CreditRule, Scheme
from settlements.models.premiums import PremiumOrder, PremiumPayment, PremiumPlan
from settlements.models.rollover import AdjustmentChunk, RolloverAdjustment, RolloverChunk, RolloverRun
from settlements.models.settlement import Settlement, SettlementPayer
from settlements.models.wallet import Wallet, WalletEntry, WalletTransfer
from settlements.models.withdrawal import Payee, Payout, WithdrawalApplication

__all__ = [
    "AdjustmentChunk",
    "BillReversal",
    "CatalogueFault",
    "CatalogueFile",
    "CatalogueItem",
    "CatalogueRow",
    "Claim",
    "Clawback",
    "Clearing",
    "Contribution",
    "ContributionFault",
    "ContributionFile",
    "Credit",
    "CreditChunk",
    "CreditRule",
    "CreditRun",
    "Entry",
    "LedgerTransaction",
    "Payee",
    "Payout",
    "PersonalAccount",
    "PremiumOrder",
    "PremiumPayment",
    "PremiumPlan",
    "RecalculatedBill",
    "Recalculation",
    "Reimbursement",
    "RolloverAdjustment",
    "RolloverChunk",
    "RolloverRun",
    "RuleDraft",
    "Scheme",
    "Settlement",
    "SettlementPayer",
    "Trial",
    "TrialDrift",
    "TrialPerson",
    "Usage",
    "Wallet",
    "WalletEntry",
    "WalletTransfer",
    "WithdrawalApplication",
]
