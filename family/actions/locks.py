"""The one lock of family sharing."""

from accounts.models import Member


def lock_members(*ids: int) -> None:
    """Lock the rows of members to the end of the transaction, always in the order of their ids.

    Numbers (how many relatives, how many grantors) are counted over several rows, which no constraint can hold; and
    without the order two people who bind each other at the same moment would wait for each other for ever.
    """
    rows = Member.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))
