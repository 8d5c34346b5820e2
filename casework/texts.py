"""Why a step of a case cannot be taken, for people."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "stale": (
        _("This case has changed since you opened the page."),
        _("Below is the newest state; please look again."),
    ),
    "not_in_this_state": (
        _("The case has moved on, and this step does not fit any more."),
        _("Look at its present state; nothing was changed."),
    ),
    "own_case": (
        _("You had a hand in this case, or it concerns you."),
        _("Somebody else has to deal with it; hand it to a colleague."),
    ),
}
