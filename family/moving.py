"""One press on the list of grantors, or one drop, as the beneficiary does it on line and a clerk does it for him."""

from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts import clock, reasons
from accounts.errors import Refused
from accounts.models import Member, User
from family import queries, telling
from family.actions import grants
from family.forms import MoveForm


class Moved(NamedTuple):
    """`problem`: what was in the way, None where it is done; `row`: public id of the grant that moved, and `said`: the
    sentence that says so."""

    problem: reasons.Told | None
    row: str = ""
    said: str = ""


def move(sent: QueryDict, *, beneficiary: Member, by: User, channel: str) -> Moved:
    """Do what a list sent (see `MoveForm`). A list that is not the newest, or not whole, is a problem told with it."""
    form = MoveForm(sent)
    held = list(queries.grants_to_order(beneficiary.pk, clock.today()))
    applied = form.applied_to(held) if form.is_valid() else None
    if applied is None:
        return Moved(reasons.tell("stale_order"))
    ids, grant = applied
    version = form.cleaned_data["version"]
    try:
        grants.reorder(beneficiary=beneficiary, grant_ids=ids, version=version, by=by, at=clock.now(), channel=channel)
    except Refused as refused:
        return Moved(reasons.tell_refused(refused))
    except PermissionDenied:
        return Moved(reasons.tell("not_permitted"))
    facts = {"term": telling.term_of_grantor(grant), "place": ids.index(grant.pk) + 1}
    return Moved(None, str(grant.public_id), _("“%(term)s” is now number %(place)s") % facts)
