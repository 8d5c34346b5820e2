from gateway.models.keys import InstitutionKey
from gateway.models.messages import GatewayMessage
from gateway.models.reconciling import Difference, GatewayFile, Reconciliation, ReconciliationDay
from gateway.models.refusals import TurnedAway
from gateway.models.settings import InstitutionSettings, SignIn
from gateway.models.stays import Stay
from gateway.models.visits import Diagnosis, FeeLine, Visit, VisitSettlement

__all__ = [
    "Diagnosis",
    "Difference",
    "FeeLine",
    "GatewayFile",
    "GatewayMessage",
    "InstitutionKey",
    "InstitutionSettings",
    "Reconciliation",
    "ReconciliationDay",
    "SignIn",
    "Stay",
    "TurnedAway",
    "Visit",
    "VisitSettlement",
]
