"""What family sharing says to people: why not, and what happened. Never of a third person who also shares."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "same_person": (
        _("This is the account holder himself."),
        _("Your own account pays for you anyway; enter a relative."),
    ),
    "not_insured.relative": (
        _("This relative has no basic medical insurance."),
        _("Once the relative is insured, as an employee or as a resident, sharing is possible."),
    ),
    "not_permitted.no_account": (
        _("Only people insured as employees have an account to share."),
        _("A relative who is insured as an employee can share an account instead."),
    ),
    "not_permitted.no_rules": (
        _("This region offers no family sharing on that day."),
        _("Call 12393 to ask from when on it does."),
    ),
    "different_region": (
        _("This relative is insured in another region, where your account cannot pay directly."),
        _("Send money through the medical insurance wallet instead."),
    ),
    "not_near_relative": (
        _("By this region's rules the account cannot be shared with this kind of relative: %(relation)s."),
        _("Check the relation; which relatives count is the region's rule, told at 12393."),
    ),
    "not_near_relative.in_law": (
        _("A spouse's parents are not near relatives as the law means it."),
        _("Your spouse can share an account with them."),
    ),
    "ages_do_not_fit.older": (
        _("By the ID numbers this relative is not the older one of the two, so the relation cannot be: %(relation)s."),
        _("Choose the right relation, or correct the ID number."),
    ),
    "ages_do_not_fit.younger": (
        _(
            "By the ID numbers this relative is not the younger one of the two, so the relation cannot be: %(relation)s."
        ),
        _("Choose the right relation, or correct the ID number."),
    ),
    "ages_do_not_fit.spouse": (
        _("By the ID numbers one of the two is too young to be married: a husband is at least 20, a wife at least 18."),
        _("Choose the right relation, or correct the ID number."),
    ),
    "suspended.grantor": (
        _("The contributions of the account holder have stopped, so the account cannot be shared at present."),
        _("Once they are paid again, it can. The holder's own use goes on meanwhile."),
    ),
    "frozen.grantor": (
        _("The account holder's insurance is frozen, so the account cannot be shared."),
        _("The office that keeps the insurance tells why; it needs the ID card."),
    ),
    "closed.grantor": (
        _("The account holder's insurance has ended, so the account cannot be shared."),
        _("If that is a mistake, the office that keeps the insurance corrects it."),
    ),
    "already_bound": (
        _("This relative can already use the account."),
        _("The limit can be changed, or the sharing ended, on the family page or at the window."),
    ),
    "already_bound.applied": (
        _("An application for this relative is already on its way."),
        _("Find it among your cases; you can change it or take it back there."),
    ),
    "mutual_binding": (
        _("This relative already shares an account with you, and this region does not allow both ways at once."),
        _("End that sharing first, then apply."),
    ),
    "too_many_relatives": (
        _("The account is already shared with %(most)s relatives, as many as this region allows."),
        _("End one of them first, then apply."),
    ),
    "too_many_relatives.relation": (
        _("The account is already shared with %(most)s relatives of this kind (%(relation)s), as many as allowed."),
        _("End one of them first, then apply."),
    ),
    "too_many_grantors": (
        _("This relative already uses as many accounts as this region allows: %(most)s."),
        _("The relative can end the present sharing; then apply again."),
    ),
    "too_many_grantors.yours": (
        _("You already use as many accounts as this region allows: %(most)s."),
        _("End that sharing first, then agree to this one."),
    ),
    "no_use_chosen": (
        _("Nothing is chosen that the account may pay."),
        _("Choose care, premiums, or both."),
    ),
    "use_not_offered.pay": (
        _("In this region the account cannot be shared for care."),
        _("Leave care out and apply again."),
    ),
    "use_not_offered.premium": (
        _("In this region the account cannot be shared for premiums."),
        _("Leave premiums out and apply again."),
    ),
    "ends_too_early": (
        _("The last day has passed already."),
        _("Choose a later day, or none."),
    ),
    "bad_limit": (
        _("The limit is not an amount of money above zero."),
        _("Enter yuan with at most two decimals, or leave it empty for no limit."),
    ),
    "relative_not_found": (
        _("Nobody insured has this name and this ID number."),
        _(
            "Check both against the ID card; if both are right, the office where the relative is insured checks its register."
        ),
    ),
    "commitment_changed": (
        _("There is a newer text of the commitment."),
        _("Read it below, then sign it."),
    ),
    "not_adjustable": (
        _("In this region the order is fixed by rule and cannot be changed."),
        _("Nothing needs to be done; the page shows the order that holds."),
    ),
    "stale_order": (
        _("The order was changed a moment ago."),
        _("Below is the newest order; please look again."),
    ),
    "too_early_to_unbind": (
        _("Sharing must last at least %(months)s months in this region."),
        _("It can end from %(from_on)s on. Until then you can pause it."),
    ),
    "not_bound": (
        _("This sharing has ended already."),
        _("Nothing needs to be done."),
    ),
}

MESSAGES = {
    "sharing_waits_for_consent": (
        _("Your relative is asked to agree"),
        _("%(beneficiary)s can agree until %(until_on)s. Before that you can take application %(case)s back."),
    ),
    "sharing_in_review": (
        _("Your application is being checked"),
        _("The check of application %(case)s is done by %(due_on)s at the latest. You will hear of it here."),
    ),
    "sharing_returned": (
        _("Please change your application"),
        _("Application %(case)s came back to you: %(reason)s"),
    ),
    "sharing_expired": (
        _("Your invitation has lapsed"),
        _("%(beneficiary)s did not answer by %(until_on)s. You can apply again at any time."),
    ),
    "sharing_declined": (
        _("Your relative did not agree"),
        _("%(beneficiary)s does not want to use your account. Nothing was changed."),
    ),
    "sharing_refused": (
        _("The application was refused"),
        _("Application %(case)s, for %(beneficiary)s to use the account of %(grantor)s, was refused: %(reason)s"),
    ),
    "sharing_invitation": (
        _("A relative offers you the use of an account"),
        _(
            "%(grantor)s offers you the use of a medical insurance account."
            " Until %(until_on)s you can agree or decline, here or at the window with your ID card."
        ),
    ),
    "sharing_invitation_void": (
        _("The offer no longer stands"),
        _("The offer of %(grantor)s to use an account has ended. Nothing needs to be done."),
    ),
    "sharing_bound_grantor": (
        _("Your relative can use your account"),
        _(
            "From %(from_on)s on %(beneficiary)s can use your account once the own money is used up."
            " You can set a limit, pause or end it."
        ),
    ),
    "sharing_bound_beneficiary": (
        _("You can use your relative's account"),
        _("From %(from_on)s on, once your own money is used up, the account of %(grantor)s pays. Show your own card."),
    ),
    "sharing_ended_grantor": (
        _("Sharing has ended"),
        _("From %(from_on)s on %(beneficiary)s can no longer use your account. Settled bills stay as they are."),
    ),
    "sharing_ended_beneficiary": (
        _("Sharing has ended"),
        _("From %(from_on)s on you can no longer use the account of %(grantor)s. Settled bills stay as they are."),
    ),
    "sharing_adjusted_grantor": (
        _("You changed what your relative may use"),
        _("The new terms for %(beneficiary)s hold from now on."),
    ),
    "sharing_adjusted_beneficiary": (
        _("Your relative changed what you may use"),
        _("%(grantor)s has changed the terms of sharing; the family page shows what holds now."),
    ),
    "sharing_paused_grantor": (
        _("Sharing is paused"),
        _("%(beneficiary)s cannot use your account until you take it up again."),
    ),
    "sharing_paused_beneficiary": (
        _("Sharing is paused"),
        _("You cannot use the account of %(grantor)s for the time being."),
    ),
    "sharing_resumed_grantor": (
        _("Sharing goes on"),
        _("%(beneficiary)s can use your account again."),
    ),
    "sharing_resumed_beneficiary": (
        _("Sharing goes on"),
        _("You can use the account of %(grantor)s again."),
    ),
    "sharing_reordered": (
        _("The order of accounts was changed"),
        _("Your next bill follows the new order. If this was not you, call 12393."),
    ),
}
