"""What closing an account says to people: refusals, messages, lines of the log, and its words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, tuple[Promise, Promise]] = {
    "closing_applied": (
        _("Application %(case)s for this account is not decided yet."),
        _("Go on with that one, or take it back first."),
    ),
    "inherited_with_account": (
        _("This person has an open personal account; the wallet is inherited with it."),
        _("Apply for the inheritance of the account, in its region."),
    ),
    "closed.wallet": (
        _("What this person left was inherited already."),
        _("What comes to the wallet later goes to the same heirs within the hour."),
    ),
    "reason_not_offered": (
        _("The region does not close accounts for this reason."),
        _("Choose another reason; the money stays usable for care."),
    ),
    "since_in_future": (
        _("%(since_on)s has not come yet."),
        _("Apply on that day or later."),
    ),
    "has_died": (
        _("By the register this person died on %(died_on)s."),
        _("The account is inherited: choose the inheritance."),
    ),
    "other_day_of_death": (
        _("By the register the day of death is %(died_on)s."),
        _("Enter that day. If the certificate says otherwise, have the register corrected first."),
    ),
    "still_insured": (
        _("The employee insurance in this region has not ended yet."),
        _("Have it ended first, by the employer or at the window."),
    ),
    "too_early": (
        _("Last bills may still come, so the account is not closed yet."),
        _("Apply on %(from_on)s or later."),
    ),
    "settle_first.bill": (
        _("Settle first: a bill at %(name)s is registered and not settled."),
        _("Let the institution settle it or take it back."),
    ),
    "settle_first.transfer": (
        _("Settle first: a wallet transfer of %(name)s is under way."),
        _("Let it be accepted, or wait until it comes back the next morning."),
    ),
    "settle_first.claim": (
        _("Settle first: bills handed in for reimbursement (%(name)s)."),
        _("Wait until they are decided, or take them back."),
    ),
    "settle_first.case": (
        _("Settle first: %(name)s is not decided yet."),
        _("Wait for the decision, or take the application back."),
    ),
    "settle_first": (
        _("Something of this account is not settled yet."),
        _("Settle it first."),
    ),
    "nothing_to_pay": (
        _("Nothing would be left to pay out."),
        _("Look at the balance and at what goes back."),
    ),
    "shares_not_whole": (
        _("The shares come to %(total)s percent."),
        _("Correct them until they are 100 percent together."),
    ),
    "heir_twice": (
        _("Two of the heirs have the same ID number."),
        _("Each person stands in the list once."),
    ),
    "heir_is_deceased": (
        _("One of the heirs has the ID number of the deceased."),
        _("Check the ID number."),
    ),
    "heir_of_another_name": (
        _("Name and ID number of %(name)s do not belong together by the register."),
        _("Check both against the heir's ID card."),
    ),
    "payee_without_account": (
        _("%(name)s has no personal account that the money could go into."),
        _("Have it paid to a bank account, or let the account be opened first."),
    ),
    "heir_is_insured": (
        _("%(name)s has a personal account of his own here."),
        _("An inheritance goes into the heir's account then; choose “into the personal account”."),
    ),
}
MESSAGES: dict[str, tuple[Promise, Promise]] = {
    "closing_in_review": (
        _("Your application %(case)s is being checked"),
        _("A second person checks the closing of your account by %(due_on)s. Until then nothing changes."),
    ),
    "closing_returned": (
        _("Your application %(case)s came back"),
        _("It has to be changed at the window: %(reason)s"),
    ),
    "closing_refused": (
        _("Your application %(case)s was refused"),
        _("The closing of your account was refused: %(reason)s"),
    ),
    "closing_granted_withdrawal": (
        _("Your account is closed and paid out"),
        _("Application %(case)s is granted. The balance goes to the bank account you named; the account is closed."),
    ),
    "closing_granted_transfer_out": (
        _("Your account was carried to the new region"),
        _("Application %(case)s is granted. The balance has left this region, and the account here is closed."),
    ),
    "account_reopened": (
        _("Your account is open again"),
        _(
            "You are insured in %(region)s again, so the account that was closed there is open again. It begins with"
            " nothing in it and is credited from now on. Sharing that ended when you left has to be set up anew."
        ),
    ),
    "closing_inherited": (
        _("You inherited from a personal account"),
        _("By application %(case)s you get %(amount)s yuan from the account of %(who)s."),
    ),
    "wallet_inherited": (
        _("You inherited from a medical insurance wallet"),
        _("By application %(case)s you get %(amount)s yuan from the wallet of %(who)s."),
    ),
}
ACTIONS: dict[str, Promise] = {
    "account_reopened": _("opened the closed account again, because the member is insured again"),
    "closing_written": _("wrote down who gets the money of an account"),
    "account_closed": _("paid out and closed the account"),
    "wallet_inherited": _("paid the wallet out to the heirs"),
    "late_money_paid": _("paid on what had come in since"),
}
REASON_HINTS: dict[str, Promise] = {
    "emigrated": _("Settled abroad for good, household registration given up"),
    "gave_up": _("Gave up the employee insurance of his own will"),
    "cannot_transfer": _("The new place of insurance cannot receive the balance"),
    "settled_elsewhere": _("Settled elsewhere in retirement, or working there for long"),
    "retired_elsewhere": _("Registered elsewhere, of retirement age, and the relation cannot be transferred"),
    "died": _("The holder has died"),
    "moved": _("The insurance goes on in another region"),
}
