"""What premiums and wallets say to people: messages, refusals, acts in the log. The two never speak of each other.

The wallet's words never say sharing: a transfer moves the money, sharing leaves it with the one who shares.
"""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "premium_paid": (
        _("Premium paid"),
        _("%(payer)s paid the premium of %(insured)s for %(year)s: %(amount)s yuan."),
    ),
    "premium_refunded": (
        _("Premium given back"),
        _("The premium of %(insured)s for %(year)s, %(amount)s yuan, went back to the account of %(payer)s."),
    ),
    "premium_refunded_wallet": (
        _("Premium given back"),
        _("The premium of %(insured)s for %(year)s, %(amount)s yuan, went back into the wallet of %(payer)s."),
    ),
    "premium_paid_otherwise": (
        _("A premium was not debited: it is paid already"),
        _(
            "The premium of %(insured)s for %(year)s had been paid already. Nothing was debited from your account for it."
        ),
    ),
    "premium_failed": (
        _("A premium could not be debited"),
        _(
            "The premium of %(insured)s for %(year)s, %(amount)s yuan, could not be debited. The tax office collects it"
            " next month; please pay it there."
        ),
    ),
    "wallet_sent": (
        _("Money waits for you in the wallet"),
        _(
            "%(sender)s transfers %(amount)s yuan to your wallet. Accept it before %(until_at)s; otherwise it goes back."
        ),
    ),
    "wallet_accepted": (
        _("Your transfer was accepted"),
        _("%(receiver)s accepted your transfer of %(amount)s yuan. The money is now in that wallet."),
    ),
    "wallet_returned": (
        _("Your transfer came back"),
        _("%(receiver)s did not accept your transfer of %(amount)s yuan in time; it is back since %(until_at)s."),
    ),
}
REASONS = {
    "window_closed": (
        _("The premium cannot be paid now."),
        _("The premium for %(year)s can be paid from %(opens_on)s on."),
    ),
    "window_closed.unknown": (
        _("The premium cannot be paid now."),
        _("The next dates are not known yet; the tax office tells them. Call 12393 if you have missed yours."),
    ),
    "own_route": (
        _("For this group the premium is settled by the office that assists them."),
        _("Ask at the community office or at the window; do not pay it here."),
    ),
    "benefits_begun": (
        _("The benefits of this premium have begun, so it is not given back."),
        _("It could be given back until the day before %(began_on)s."),
    ),
    "not_covered.premium_employee": (
        _("This person is insured as an employee and has no resident premium to pay."),
        _("There is nothing to do."),
    ),
    "not_covered.premium_group": (
        _("This group does not fit the person's age."),
        _("Choose one of the groups shown."),
    ),
    "not_permitted.premium": (
        _("Your account may not pay premiums for this person."),
        _("Let the relative use your account for premiums first, under Family."),
    ),
    "not_permitted.premium_account": (
        _("You have no personal account that could pay: only insured employees have one."),
        _("Pay it out of your wallet once there is money in it, or at the tax office."),
    ),
    "duplicate.premium": (
        _("The premium of this person for %(year)s has been paid already."),
        _("There is nothing more to pay."),
    ),
    "duplicate.premium_order": (
        _("The premium of this person for %(year)s is already waiting for the month's end."),
        _("There is nothing more to do."),
    ),
    "duplicate.premium_refund": (_("This premium was given back already."), _("See what it was paid out of.")),
    "not_permitted.premium_wallet": (
        _("Your wallet may pay premiums for yourself and for relatives who may use your account."),
        _("Transfer the money to this relative's wallet: it can pay the premium from there."),
    ),
    "insufficient_balance.premium_debit": (
        _("The account held too little on that day."),
        _("Pay it at the tax office, or when the balance is higher."),
    ),
    "insufficient_balance.premium_wallet": (
        _(
            "The wallet holds %(available)s yuan, the premium is %(amount)s yuan; a premium is paid whole or not at all."
        ),
        _("Pay it out of the account, at the tax office, or when there is more in the wallet."),
    ),
    "insufficient_balance.premium": (
        _(
            "The account can give %(available)s yuan, the premium is %(amount)s yuan; a premium is paid whole or not at all."
        ),
        _("Pay it at the tax office, or when the balance is higher."),
    ),
    "not_permitted.wallet_region": (
        _("%(region)s has not opened the wallet."),
        _("A wallet works only in regions that have."),
    ),
    "not_permitted.wallet_account": (
        _("There is no personal account to send from."),
        _("Send from your wallet if there is money in it."),
    ),
    "not_permitted.wallet_self": (_("You cannot transfer to yourself."), _("Enter a relative's name and ID number.")),
    "wallet_not_open": (_("The wallet is not open yet."), _("Open it first; that takes one step.")),
    "duplicate.transfer": (
        _("This transfer was accepted already."),
        _("The money is in the wallet."),
    ),
    "closed.receiver_died": (
        _("Who was to receive this transfer has died; nobody can accept it any more."),
        _("The sender has the money back at 06:00 on the day after it was sent."),
    ),
    "not_permitted.transfer": (
        _("This transfer was not accepted in time and has gone back."),
        _("The sender can send it again."),
    ),
    "over_transfer_limit.number": (
        _("%(times)s transfers were sent today, which is the most for a day."),
        _("The next one can be sent tomorrow from 06:00 on."),
    ),
    "over_transfer_limit.amount": (
        _("A transfer can be at most %(most)s yuan."),
        _("Send less; up to %(times)s transfers a day are possible."),
    ),
    "outside_hours.wallet": (
        _("Transfers rest from 22:00 to 06:00."),
        _("Send it between 06:00 and 22:00."),
    ),
}
ACTIONS = {
    "wallet_opened": _("opened the wallet"),
    "wallet_pays": _("let the wallet pay bills"),
    "wallet_pays_not": _("let the wallet pay no more bills"),
    "premium_ordered": _("had a premium debited at the month's end"),
    "premium_order_withdrawn": _("took back the order of a premium"),
}
