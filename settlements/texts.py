"""What settling says to people: messages, and refusals of its own."""

from django.utils.translation import gettext_lazy as _

from accounts import audit_texts, message_texts, reasons

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
}
REASONS = {
    # Rollover
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
    for kind, (title, body) in MESSAGES.items():
        message_texts.register_message(kind, title, body)
    for code, (reason, remedy) in REASONS.items():
        reasons.register(code, reason, remedy)
    for action, text in ACTIONS.items():
        audit_texts.register_action(action, text)
