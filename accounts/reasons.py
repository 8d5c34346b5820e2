"""Why something cannot be done, and what to do about it: codes of `Refused` told in the reader's language.

Each app registers its own codes in `AppConfig.ready`; here are those that several share, with all of the case format.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from accounts.errors import Refused
from accounts.wording import Text, fill


class Told(NamedTuple):
    """A reason and its remedy, each one sentence; the remedy may be empty."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        between = "" if self.reason.endswith("。") else " "  # Chinese leaves no space after a full stop
        return f"{self.reason}{between}{self.remedy}".strip()


_texts: dict[str, tuple[Text, Text]] = {}


def register(code: str, reason: Text, remedy: Text) -> None:
    """Say what a code means and what helps: lazy texts, %(name)s for the facts of the refusal. The last one wins."""
    _texts[code] = (reason, remedy)


def registered() -> set[str]:
    """All codes, for the test that each can be told."""
    return set(_texts)


def tell(code: str, params: Mapping[str, Any] | None = None) -> Told:
    """The reason and the remedy; a code that nobody registered is told in general words.

    A fact `why` chooses the words registered as "code.why", where there are such.
    """
    params = params or {}
    reason, remedy = _texts.get(f"{code}.{params.get('why')}") or _texts.get(code, _GENERAL)
    return Told(fill(reason, params), fill(remedy, params))


def tell_refused(refused: Refused) -> Told:
    """The same for a refusal as it was raised."""
    return tell(refused.code, refused.params)


_GENERAL = (_("This cannot be done now."), _("Call 12393 or ask at the window; nothing was changed."))

_SHARED: dict[str, tuple[Text, Text]] = {
    # Insurance
    "not_insured": (
        _("This person is not insured on that day."),
        _("Check the insurance with the employer or the office that keeps it."),
    ),
    "suspended": (
        _("The contributions have stopped, so the insurance does not pay at present."),
        _("Once the contributions are paid again, it can be done."),
    ),
    "frozen": (_("The account is frozen."), _("The office that keeps the insurance tells why; it needs the ID card.")),
    "closed.account": (
        _("The account is closed."),
        _("What it did before can still be looked at; nothing is left to do."),
    ),
    "closed": (
        _("The insurance of this person has ended."),
        _("If that is a mistake, the office that keeps the insurance corrects it."),
    ),
    "not_covered.no_scheme": (
        _("No rules are kept for this region and this day."),
        _("Our staff have to add them first. Call 12393."),
    ),
    "not_covered": (_("The insurance does not cover this here."), _("You can pay it yourself.")),
    "different_region": (
        _("The two people are insured in different regions."),
        _("Family sharing works only within one region here; change the place of insurance first."),
    ),
    # Family sharing
    "not_near_relative": (
        _("This is not a near relative as the rules mean it."),
        _("Near relatives are spouses, parents, children, brothers and sisters, grandparents and grandchildren."),
    ),
    "already_bound": (_("This relative is already bound."), _("There is nothing more to do.")),
    "too_many_relatives": (_("No more relatives can be bound."), _("End one of the ties first.")),
    "too_many_grantors": (
        _("This person already uses as many accounts of relatives as the region allows."),
        _("One of those ties must end first."),
    ),
    "mutual_binding": (
        _("This relative already lets you use his account, and the region does not allow both ways at once."),
        _("End the other tie first."),
    ),
    "needs_verification": (
        _("The identity of this person is not proven yet."),
        _("He proves it once, in his own login or at the window with his ID card."),
    ),
    "not_adjustable": (_("In this region the order is fixed by rule."), _("You can see the order, but not change it.")),
    "too_early_to_unbind": (_("The tie cannot end yet."), _("It can end from %(from_on)s on.")),
    # Money
    "below_threshold": (
        _("The historical balance is below the amount from which relatives may use it."),
        _("Once it is higher, it can be done."),
    ),
    "insufficient_balance": (
        _("The balance of %(available)s yuan does not cover %(amount)s yuan."),
        _("Use a smaller amount, or pay the rest in cash."),
    ),
    "amount_too_small": (_("The amount is too small."), _("Enter a larger amount.")),
    "over_transfer_limit": (_("The amount is above the limit for transfers."), _("Transfer less, or on another day.")),
    "outside_hours": (_("This is not open at this hour."), _("Try again in the opening hours.")),
    "transfer_pending": (
        _("An earlier transfer still waits to be accepted."),
        _("Wait until it is accepted or comes back."),
    ),
    "late_filing": (
        _("The bill was filed too late."),
        _("If there is a reason that still counts, tell it to the office in writing."),
    ),
    "duplicate": (_("This has been entered already."), _("Look for it in the records; do not enter it again.")),
    # Rights
    "not_permitted": (_("You have no right to do this."), _("If you should have it, ask your administrator.")),
    "not_yours": (_("There is no such record."), _("Check the number.")),
    # Codes, logins and claims
    "no_phone": (
        _("No telephone of this person is known, so no code can be sent."),
        _("Enter the telephone first, or have it agreed to on paper."),
    ),
    "code_wrong": (_("The code is not right."), _("You have %(left)s tries left.")),
    "code_expired": (_("This code is no longer valid."), _("Have a new one sent.")),
    "code_used_up": (_("The code was entered wrongly too often."), _("Have a new one sent.")),
    "code_too_soon": (_("A code was sent a moment ago."), _("You can have another one in %(seconds)s seconds.")),
    "too_many_codes": (
        _("%(most)s codes were sent to this number today, which is the most for a day."),
        _("Try again tomorrow, or ask at the window."),
    ),
    "phone_taken": (
        _("This telephone belongs to another login."),
        _("Use your own number, or ask at the window if it is yours."),
    ),
    "already_claimed": (_("This record has been claimed already."), _("Log in, or set a new password.")),
    "too_many_tries": (_("Too many tries."), _("Wait an hour, or ask at the window.")),
    "too_many_copies": (
        _("You have downloaded this file several times within an hour."),
        _("Use one of those files, or wait an hour."),
    ),
    "too_many_lookups": (
        _("More people were looked up within an hour than anybody serves."),
        _("Wait, or tell your administrator; that it happened has been noted."),
    ),
    # Tables that are uploaded
    "table_empty": (_("The file is empty."), _("Choose the file with the rows, and upload it again.")),
    "table_too_large": (
        _("The file is larger than %(megabytes)s MB."),
        _("Divide it into several files."),
    ),
    "table_too_many_rows": (_("The file has more than %(rows)s rows."), _("Divide it into several files.")),
    "table_old_excel": (
        _("This is a file of an old Excel (.xls)."),
        _("Save it as .xlsx or as CSV, and upload that."),
    ),
    "table_broken": (
        _("The file is damaged or is neither CSV nor XLSX (line %(line)s)."),
        _("Open it in your spreadsheet, save it anew as .xlsx or CSV, and upload that."),
    ),
    "table_unpacks_too_far": (
        _("The file unpacks to far more than it may hold."),
        _("Copy the rows into a new, empty workbook and upload that."),
    ),
    "table_nul": (_("The file holds NUL bytes, so it is no text."), _("Save it anew as CSV in UTF-8, or as .xlsx.")),
    "table_encoding": (
        _("The characters of the file cannot be read: it is neither UTF-8 nor GBK."),
        _("Save it anew as CSV in UTF-8, or as .xlsx."),
    ),
    "columns_missing": (
        _("These columns are missing: %(columns)s. Found were: %(found)s."),
        _("Write the titles in the first row as the template has them."),
    ),
    "columns_twice": (_("These columns stand there twice: %(columns)s."), _("Take one of each out.")),
    "columns_unknown": (
        _("These columns are not known: %(columns)s."),
        _("Take them out, or correct their titles as the template has them."),
    ),
    "cell_formula": (_("This is a formula."), _("Replace it by its value.")),
    "cell_digits_lost": (
        _("The spreadsheet kept this as a number and has lost its last digits."),
        _("Format the column as text and enter the number again."),
    ),
    "cell_control": (_("There is an invisible control character in it."), _("Type the value again.")),
    "cells_too_many": (
        _("The row has more cells than there are titles."),
        _("Often an amount was written with a comma: write 12000.00."),
    ),
    "changed_meanwhile": (
        _("This has changed since you opened the page."),
        _("Below is the newest state; please look again."),
    ),
}
for _code, (_reason, _remedy) in _SHARED.items():
    register(_code, _reason, _remedy)
