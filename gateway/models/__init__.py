from gateway.models.keys import InstitutionKey
from gateway.models.messages import GatewayMessage
from gateway.models.visits import FeeLine, Visit, VisitSettlement

__all__ = ["FeeLine", "GatewayMessage", "InstitutionKey", "Visit", "VisitSettlement"]
