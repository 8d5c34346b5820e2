from gateway.models.keys import InstitutionKey
from gateway.models.messages import GatewayMessage
from gateway.models.settings import InstitutionSettings, SignIn
from gateway.models.visits import Diagnosis, FeeLine, Visit, VisitSettlement

__all__ = [
    "Diagnosis",
    "FeeLine",
    "GatewayMessage",
    "InstitutionKey",
    "InstitutionSettings",
    "SignIn",
    "Visit",
    "VisitSettlement",
]
