"""Why a paper is not to be had."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "not_printable": (
        _(
            "A name on this paper has a character that our printing font does not have, "
            "so we print nothing rather than a gap."
        ),
        _("The window makes the paper for you and puts its stamp on it: show your ID card and the number %(number)s."),
    ),
    "document_changed": (
        _("The records have changed since this paper was issued, so a copy would not be the same paper."),
        _("Have a new paper issued instead."),
    ),
    "too_many_papers": (
        _("Many papers were issued to you within an hour."),
        _("Wait an hour, or print the ones issued before."),
    ),
    "document_revoked": (_("This paper was declared void."), _("Have a new paper issued instead.")),
}
