"""What settling says to people: messages, and refusals of its own."""

from django.utils.translation import gettext_lazy as _

from accounts import audit_texts, message_texts, reasons
from settlements import texts_paying

MESSAGES = {
    "shared_use": (
        _("A relative used your account"),
        _("On %(used_on)s %(beneficiary)s paid %(amount)s yuan from your account at %(institution)s."),
    ),
    "clawback": (
        _("Money credited ahead went back"),
        _(
            "Your insurance ended or stopped on %(left_on)s. %(amount)s yuan that had been credited for later months"
            " went back."
        ),
    ),
    "clawback_owed": (
        _("Money credited ahead went back, and some is owed"),
        _(
            "Your insurance ended or stopped on %(left_on)s. Of what had been credited for later months %(amount)s yuan"
            " went back; %(debt)s yuan were used already and are owed. Later credits repay it first, and what is left of"
            " it is taken off at the year's end. You need not do anything."
        ),
    ),
    # To administrators, by text message alone
    "rollover_opened": (
        _("A year end comes near"),
        _(
            "The benefit year %(year)s of %(region)s ends before %(boundary_on)s. Please give its interest rates, rehearse"
            " the rollover, and have another administrator release it."
        ),
    ),
    "rollover_stalled": (
        _("A rollover stands still"),
        _(
            "The rollover of %(year)s of %(region)s has not moved for %(minutes)s minutes. Balances and care are not"
            " affected. Please look at its page, and at the workers."
        ),
    ),
    "rollover_moves": (
        _("A rollover moves again"),
        _("The rollover of %(year)s of %(region)s moves again, or was paused or finished by somebody."),
    ),
}
REASONS = {
    # Rollover
    "same_person.closing": (
        _("Whoever planned a rollover does not close it."),
        _("Ask another administrator of the region to look at both counts and close it."),
    ),
    "same_person.adjusting": (
        _("Whoever plans a correction does not release it."),
        _("Ask another administrator of the region to look at the sum and release it."),
    ),
    "rate_same": (
        _("These are the rates that the rollover already has."),
        _("Write the rates that are right; at least one of them must differ."),
    ),
    "adjustment_open": (
        _("A correction of this rollover is already under way."),
        _("Wait until it is done, or take it back, before you plan another one."),
    ),
    "totals_differ.adjusting": (
        _("The sum by the accounts and the sum by the products do not agree, so nothing is posted."),
        _("Take the correction back and run check_ledger before anything else."),
    ),
    "same_person.planned": (
        _("Whoever plans a rollover does not release it."),
        _("Ask another administrator of the region to look at it and release it."),
    ),
    "rate_missing": (
        _("An interest rate for %(year)s is missing."),
        _("Plan, rehearse and release the rollover of %(year)s with both rates first."),
    ),
    "year_missing": (
        _("The first day of the benefit year %(year)s is not known."),
        _("Add the rule of the benefit year to the region file and load it."),
    ),
    "run_state": (
        _("The rollover has moved on since this page was opened."),
        _("Go back to it and look at where it stands now."),
    ),
    "year_not_over": (
        _("The benefit year is not over yet; the next one begins on %(boundary_on)s."),
        _("It begins by itself on that day."),
    ),
    "year_over": (
        _("The year is over, and accounts are already rolled with these rates."),
        _("Let it run to the end; a wrong rate is put right afterwards."),
    ),
    "not_finished": (
        _("Some accounts are not rolled over yet."),
        _("Wait until the batch is done; it goes on by itself."),
    ),
    "totals_differ": (
        _("The two counts do not agree, so the rollover stays open."),
        _("Look at the line that differs, and run check_ledger before anything else."),
    ),
    "not_covered.no_rate": (
        _("This region's rules name no rate for an institution of this level (%(level)s)."),
        _("Check the level of the institution, or call 12393."),
    ),
    "not_covered.not_known": (
        _("For this care no reliable figures of the region are known, so the portal does not work the bill out."),
        _("Nothing was settled. Ask at the window or call 12393; you can pay yourself and keep the invoice."),
    ),
    "not_covered.no_credit": (
        _("What this region credits is not known for somebody of this status."),
        _("Enter the region's rule in its file with its source, and load it."),
    ),
    "day_to_come": (
        _("%(day_on)s has not come yet."),
        _("Enter it on that day or later."),
    ),
    "no_base": (
        _("No contribution base is known, so the credit cannot be worked out."),
        _("Ask the employer to report the base, or bring a payslip to the window."),
    ),
}

ACTIONS = {
    "enrolment_left_stopped": _("entered that the contributions stopped"),
    "enrolment_left_moved": _("entered that the insurance moved away"),
    "enrolment_left_died": _("entered the death"),
    "enrolment_rejoined": _("entered that the contributions go on"),
}


def register() -> None:
    """Called once when the app is ready."""
    for kind, (title, body) in (MESSAGES | texts_paying.MESSAGES).items():
        message_texts.register_message(kind, title, body)
    for code, (reason, remedy) in (REASONS | texts_paying.REASONS).items():
        reasons.register(code, reason, remedy)
    for action, text in (ACTIONS | texts_paying.ACTIONS).items():
        audit_texts.register_action(action, text)
