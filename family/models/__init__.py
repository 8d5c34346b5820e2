from family.models.application import Commitment, SharingApplication
from family.models.grants import DeductionOrder, SharingGrant
from family.models.rules import SharingRules

__all__ = ["Commitment", "DeductionOrder", "SharingApplication", "SharingGrant", "SharingRules"]
