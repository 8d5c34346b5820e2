"""What a difference means and what helps: one for the institution's file, one for the region's staff."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.enums import InstitutionKind
from accounts.models import Institution
from gateway.enums import DifferenceKind

# To the institution, in the result file of 3202.
REMARKS: Mapping[str, Promise] = {
    DifferenceKind.MISSING_HERE: _("Not settled here. Settle it again (%(settle)s), or delete it on your side."),
    DifferenceKind.MISSING_THERE: _(
        "Settled here, not in your file. Correct it with this msgid (2601), or reverse it (%(reverse)s)."
    ),
    DifferenceKind.AMOUNTS: _("The amounts differ; these are ours. Query the settlement (5203) and correct yours."),
    DifferenceKind.REVERSED_HERE: _("Reversed here, not in your file. Enter the reversal on your side."),
    DifferenceKind.REVERSED_THERE: _("Reversed in your file, not here. Send the reversal again (%(reverse)s)."),
    DifferenceKind.ELSEWHERE: _("Settled here on another day or in another clearing category. Check both."),
    DifferenceKind.REPEATED: _("Twice in your file. Delete one of the two lines."),
}  # fmt: skip
# To staff: what it means for whom, and what to do.
MEANINGS: Mapping[str, tuple[Promise, Promise]] = {
    DifferenceKind.MISSING_HERE: (
        _("The institution counts it as settled; the portal knows nothing of it. No fund and no account has paid."),
        _("The institution settles it again (%(settle)s) if the patient is still to be paid for, or deletes it on its side. "
          "Until then the fund owes nothing for it."),
    ),
    DifferenceKind.MISSING_THERE: (
        _("It is settled here, and the institution knows nothing of it: most likely our answer was lost. Accounts and "
          "funds have paid."),
        _("The institution corrects it by its message ID (2601), or reverses it (%(reverse)s), and settles again if the "
          "patient was there. Only then is the member's money back."),
    ),
    DifferenceKind.AMOUNTS: (
        _("Both sides know it, with different amounts. Ours are those that accounts and funds have paid."),
        _("The institution queries the settlement (5203) and corrects its own record. If the bill itself was wrong, it "
          "reverses it (%(reverse)s) and settles it again."),
    ),
    DifferenceKind.REVERSED_HERE: (
        _("It was taken back here; the institution still counts it. The payers have their money again."),
        _("The institution enters the reversal on its side. If it was reversed by mistake, it settles again (%(settle)s)."),
    ),
    DifferenceKind.REVERSED_THERE: (
        _("The institution has taken it back; here it stands. Accounts and funds are still out of their money."),
        _("The institution sends the reversal again (%(reverse)s). The member's money comes back with it."),
    ),
    DifferenceKind.ELSEWHERE: (
        _("The portal knows it, with another day of settlement or in another clearing category."),
        _("The institution compares by our settlement time and clearing category, as the answer to %(settle)s said them. "
          "Nothing is to be paid or taken back."),
    ),
    DifferenceKind.REPEATED: (
        _("The institution's file names it twice."),
        _("The institution deletes one of the two and reconciles again. Nothing is to be paid or taken back."),
    ),
}  # fmt: skip


# Clearing category -> by which transaction one settles and takes back. Empty: of a hospital, nobody knows which.
NUMBERS = (
    {"41": {"settle": "2102", "reverse": "2103"}}
    | dict.fromkeys(("21", "22", "27", "28"), {"settle": "2304", "reverse": "2305"})
    | {"": {"settle": "2207/2304", "reverse": "2208/2305"}}
)
OUTPATIENT = {"settle": "2207", "reverse": "2208"}


def category(known: str, compared: str, institution: Institution) -> str:
    """What to go by: the category of the row itself, else that of the comparison; a pharmacy has one alone."""
    return known or compared or ("41" if institution.kind == InstitutionKind.PHARMACY else "")


def remark(kind: str, clr_type: str) -> str:
    """What the institution reads beside the row."""
    return str(REMARKS[kind]) % NUMBERS.get(clr_type, OUTPATIENT)


def told(kind: str, clr_type: str) -> tuple[str, str]:
    """What a difference means, and what to do."""
    meaning, remedy = MEANINGS[kind]
    return str(meaning), str(remedy) % NUMBERS.get(clr_type, OUTPATIENT)
