from casework.models.calendar import WorkingDayException
from casework.models.case import Case, CaseEvent

__all__ = ["Case", "CaseEvent", "WorkingDayException"]
