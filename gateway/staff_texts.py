"""What the interface says to the region's staff: why an act is refused, and what acts are called in the log."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "note_missing": (_("The note is missing."), _("Say where it comes from, and what was agreed with whom.")),
    "note_long": (_("The note is longer than %(most)s characters."), _("Shorten it.")),
    "difference_closed": (_("This difference was closed meanwhile."), _("Go back to the list; it is done.")),
    "difference_unexplained": (_("It has not been explained yet."), _("Explain it first; then it can be closed.")),
    "body_deleted": (
        _("What was said was deleted, its time was over."),
        _("What it led to stands in the visit and its settlement."),
    ),
    "replay_impossible": (
        _("This message cannot be tried again: it came with a file."),
        _("Ask the institution to send it once more."),
    ),
}
ACTIONS = {
    "institution_look_up": _("looked the person up for a visit at an institution"),
    "visit_expired": _("gave up a visit that was not settled in time"),
    "key_issued": _("issued a key to an institution"),
    "key_retired": _("retired a key of an institution"),
    "gateway_message_opened": _("read what an institution sent about the person"),
    "gateway_message_replayed": _("tried again, without consequence, what an institution sent"),
    "difference_explained": _("explained a difference with an institution"),
    "difference_closed": _("closed a difference with an institution"),
    "clearing_statement": _("took the clearing statement of an institution"),
}
