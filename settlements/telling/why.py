"""Why a balance is what it is, in the reader's language: a reason, what can be done, and the movements behind it."""

import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.reasons import Told
from accounts.wording import fill
from settlements.queries.why import Fact, why_balance
from settlements.telling import movements

Text = str | Promise
# code -> title, reason, what to do
TEXTS: dict[str, tuple[Text, Text, Text]] = {
    "uninsured": (
        _("Not insured here today"),
        _("We find no insurance for you today, so nothing is paid into an account."),
        _(
            "If you are insured in another region, log in there. If you should be insured here, ask your employer or"
            " call 12393."
        ),
    ),
    "resident": (
        _("The residents' insurance has no account"),
        _(
            "The residents' insurance keeps no personal account, so there is no balance to show. Your bills are paid by the"
            " pooled fund all the same."
        ),
        _("A near relative with an employee's account can let you use its balance of earlier years."),
    ),
    "resident_left": (
        _("You are insured as a resident now"),
        _(
            "Nothing more is paid into the account. What it holds still pays bills of your own, as far as your insurance"
            " lets accounts pay; relatives cannot use it meanwhile."
        ),
        _("The money stays yours. If you have left employment for good, ask at the window whether it can be paid out."),
    ),
    "no_account": (
        _("No account has been opened yet"),
        _(
            "You are insured as an employee, but there is no account: the first contribution of your employer opens it, and"
            " some tiers of the insurance have none. The pooled fund pays your bills all the same."
        ),
        _("If contributions have been paid for more than two months, call 12393 or ask at the window."),
    ),
    "closed": (
        _("The account is closed"),
        _("It was paid out, inherited or carried to another region; money that comes in later is paid on."),
        _("The papers of the closing are among your cases."),
    ),
    "insured_again": (
        _("The account is being opened again"),
        _("It was closed, and you are insured here again. The next night opens it; from then on it is credited."),
        _("If it is still closed after two days, call 12393 or ask at the window."),
    ),
    "other_region": (
        _("Money in another region"),
        _("In %(region)s you have an account with %(amount)s yuan. It is not part of the balance here."),
        _("Ask at the window of either region to have it carried over."),
    ),
    "suspended": (
        _("Contributions have stopped"),
        _("Since %(since_on)s no contributions are paid, so nothing is paid in. What is there stays yours to use."),
        _("Ask your employer. Once they are paid again, the account is credited again; sharing rests until then."),
    ),
    "frozen": (
        _("The insurance is frozen"),
        _("Since %(since_on)s account and fund are frozen."),
        _("Ask at the window why, and bring your ID card."),
    ),
    "not_credited.month": (
        _("This month is not paid in yet"),
        _("The credit of this month has not come in so far."),
        _(
            "It comes after your employer's contribution. If it is missing at the end of the month, ask your employer"
            " or 12393."
        ),
    ),
    "not_credited.year": (
        _("This benefit year is not paid in yet"),
        _("The credit of this benefit year has not come in so far."),
        _("If it stays away for more than a month, ask your employer or call 12393."),
    ),
    "pending": (
        _("A wallet transfer is on its way"),
        _("%(amount)s yuan have left the account and wait to be accepted."),
        _("If nobody accepts it, it is back at %(back_at)s."),
    ),
    "relatives": (
        _("Relatives used it"),
        _("In this benefit year relatives used %(amount)s yuan of your account."),
        _("On the family page you can set limits, pause or end it."),
    ),
    "own": (
        _("Your own care and medicine"),
        _("In this benefit year %(amount)s yuan were paid for yourself."),
        "",
    ),
    "premiums": (
        _("Premiums for relatives"),
        _("In this benefit year %(amount)s yuan were paid for relatives' premiums."),
        "",
    ),
    "wallet": (
        _("Transferred to relatives' wallets"),
        _("In this benefit year %(amount)s yuan were transferred to wallets. The money is the receivers' now."),
        "",
    ),
    "clawback": (
        _("Credit taken back"),
        _("On %(left_on)s contributions ended; %(amount)s yuan that had been paid in ahead went back."),
        _("If you were insured on, have your employer report it; the credit then comes again."),
    ),
    "cleared": (
        _("Too much had been credited"),
        _(
            "By the contributions that really arrived, %(amount)s yuan too much had been credited for the benefit year"
            " %(year)s. They went back."
        ),
        _("If you think that a contribution is missing, ask your employer."),
    ),
    "paid_out": (
        _("The account was closed in between"),
        _("In this benefit year %(amount)s yuan were paid out, inherited or carried to another region."),
        _("The papers of the closing are among your cases."),
    ),
    "debt": (
        _("A debt of an earlier clearing"),
        _("%(amount)s yuan could not be taken back and are owed."),
        _(
            "They are repaid out of what is credited later, or when the benefit year ends; you need not pay anything in."
        ),
    ),
    "repaid": (
        _("A debt was repaid"),
        _("In this benefit year %(amount)s yuan of your money repaid what was owed from an earlier clearing."),
        "",
    ),
    "rolled": (
        _("A new benefit year has begun"),
        _(
            "On %(from_on)s %(amount)s yuan of the old year's balance became balance of earlier years. Nothing was lost."
        ),
        _("The balance of earlier years can also be used by relatives."),
    ),
    "nothing": (
        _("Nothing out of the ordinary"),
        _("The account is in order, credited as it should be, and nothing has been used in this benefit year."),
        _("If the balance still seems wrong to you, call 12393."),
    ),
}


def tell(user: User, at: datetime.datetime, on: datetime.date) -> list[dict[str, Any]]:
    """For settlements/_why.html: title, reason with remedy, movements, and where to go."""
    return [_told(fact, on) for fact in why_balance(user, at, on)]


def _told(fact: Fact, on: datetime.date) -> dict[str, Any]:
    code = f"{fact.code}.{fact.params['every']}" if fact.code == "not_credited" else fact.code
    title, reason, remedy = TEXTS[code]
    params = {name: _plain(value) for name, value in fact.params.items()}
    url, verb = _links().get(fact.code, ("", ""))
    return {
        "code": fact.code,
        "title": title,
        "told": Told(fill(reason, params), fill(remedy, params) if remedy else ""),
        "lines": movements.tell_lines(fact.lines, on),
        "more": max(int(fact.params.get("count", 0)) - len(fact.lines), 0),
        "url": url,
        "verb": verb,
    }


def _plain(value: Any) -> Any:
    """As `fill` reads facts: days and moments as ISO texts, yuan with two decimals."""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return f"{value:.2f}" if hasattr(value, "quantize") else value


def _links() -> dict[str, tuple[str, Text]]:
    return {
        "relatives": (reverse("settlements:account") + "?kind=family", _("Every use by relatives")),
        "own": (reverse("settlements:bills"), _("Every settled bill")),
        "rolled": (reverse("settlements:account") + "?kind=rollover", _("The rollover in the list")),
        "pending": (reverse("settlements:wallet"), _("To the wallet")),
        "wallet": (reverse("settlements:wallet"), _("To the wallet")),
    }
