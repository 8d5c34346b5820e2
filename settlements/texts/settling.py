"""What settling says to people: messages, and refusals of its own."""

from django.utils.translation import gettext_lazy as _

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
            " went back; %(debt)s yuan were used already and are owed. They are taken off your account when the year"
            " ends. You need not do anything."
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
    "clearing_back": (
        _("The benefit year %(year)s was cleared"),
        _(
            "By the contributions that really arrived, %(amount)s yuan too much had been credited for %(year)s. They"
            " were taken off your account."
        ),
    ),
    "clearing_owed": (
        _("The benefit year %(year)s was cleared, and some is owed"),
        _(
            "By the contributions that really arrived, too much had been credited for %(year)s. %(amount)s yuan were"
            " taken off your account; %(debt)s yuan were used already and are owed. They are taken off what is"
            " credited later, or when the year ends. You need not do anything."
        ),
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
    "run_state.planning": (
        _("The rollover of this year has been released already."),
        _("Look at it in the list of rollovers; a rate that was wrong is put right there."),
    ),
    "year_not_over": (
        _("The benefit year is not over yet; the next one begins on %(boundary_on)s."),
        _("It begins by itself on that day."),
    ),
    "year_not_over.clearing": (
        _("The benefit year is not over yet; the next one begins on %(boundary_on)s."),
        _("Plan the clearing from that day on."),
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
    # Crediting
    "same_person.crediting": (
        _("Whoever uploads or plans does not release."),
        _("Ask another administrator of the region to look at the figures and release it."),
    ),
    "credit_run_state": (
        _("The run has moved on since this page was opened."),
        _("Go back to it and look at where it stands now."),
    ),
    "file_state": (
        _("The file has moved on since this page was opened."),
        _("Go back to it and look at where it stands now."),
    ),
    "table_again": (
        _("The same file was uploaded on %(uploaded_at)s already (no. %(number)s)."),
        _("Look at that one. If it was withdrawn or had mistakes, it can be uploaded again."),
    ),
    "month_to_come": (_("This month has not begun yet."), _("Choose the month that the contributions are for.")),
    "clearing_open": (
        _("The clearing of %(year)s is planned or running already."),
        _("Look at it in the list of runs."),
    ),
    "clearing_nobody": (
        _("Nobody was credited in the benefit year %(year)s."),
        _("Check the region and the year."),
    ),
    # Rows of a contribution file
    "member_unknown": (
        _("Nobody with this ID number is in the register."),
        _("Check the number; if it is right, import the enrolment first."),
    ),
    "member_elsewhere": (
        _("This person has no employee insurance in this region."),
        _("Take the row out, or correct the enrolment first."),
    ),
    "member_without_account": (
        _("This person has no personal account in this region yet."),
        _("Open the account first, then upload the file again."),
    ),
    "name_differs": (
        _("The name is not that of the person with this ID number."),
        _("Check both with the employer's list."),
    ),
    "row_twice": (
        _("The same person and month stand in line %(first)s already."),
        _("Leave the row that is right and take the other one out."),
    ),
    "id_length": (_("An ID number has 18 characters; here are %(length)s."), _("Type it again from the card.")),
    "id_missing": (_("The ID number is missing."), _("Enter it.")),
    "id_characters": (
        _("An ID number has only digits and perhaps an X at the end."),
        _("Type it again from the card."),
    ),
    "id_province": (_("The ID number does not begin with a province."), _("Check the first digits.")),
    "id_birth": (_("The date of birth in the ID number does not exist."), _("Check digits 7 to 14.")),
    "id_future": (_("The date of birth in the ID number lies in the future."), _("Check digits 7 to 14.")),
    "id_check": (_("The last digit of the ID number does not fit the others."), _("Type it again from the card.")),
    "amount_missing": (_("The amount is missing."), _("Enter it, like 12000.00.")),
    "amount_format": (_("This is no amount."), _("Write it like 12000.00, without commas and units.")),
    "amount_too_large": (_("The amount is too large."), _("Check the decimal point.")),
    "amount_negative": (_("The amount is below zero."), _("A correction is a new row with the right base.")),
    "amount_decimals": (_("The amount has more than two decimals."), _("Round it to the fen.")),
    "amount_zero": (_("The amount is zero."), _("Take the row out, or enter the base.")),
    "month_format": (_("This is no month."), _("Write it like 2026-11.")),
    "month_later": (
        _("The month lies after %(month)s, the month of the file."),
        _("Put it into the file of its month."),
    ),
    "month_too_early": (
        _("The region has no rule of crediting for this month."),
        _("Take the row out, or have the rule added to the region file."),
    ),
    "day_to_come": (
        _("%(day_on)s has not come yet."),
        _("Enter it on that day or later."),
    ),
    "leaving_known": (
        _("The insurance is known to end or rest on %(until)s, so the year is not credited ahead."),
        _("Credit the months one by one; what is short is topped up by the clearing of the year."),
    ),
    "no_base": (
        _("No contribution base is known, so the credit cannot be worked out."),
        _("Ask the employer to report the base, or bring a payslip to the window."),
    ),
}

RUN_VERBS = ("plan", "begin", "release", "cancel", "pause", "resume", "finish")
ROLLOVER_VERBS = (
    "adjust_cancel",
    "adjust_plan",
    "adjust_release",
    "adjust_done",
    "begin",
    "cancel",
    "close",
    "open",
    "pause",
    "plan",
    "post_interest",
    "reconcile",
    "rehearse",
    "release",
    "report",
    "resume",
    "stall",
)
FILE_VERBS = ("upload", "read", "release", "withdraw")
ACTIONS = {
    "enrolment_left_stopped": _("entered that the contributions stopped"),
    "enrolment_left_moved": _("entered that the insurance moved away"),
    "enrolment_left_died": _("entered the death"),
    "enrolment_rejoined": _("entered that the contributions go on"),
    "statement_exported": _("saved movements as a file"),
    **{f"rollover.{verb}": _("worked on a year's rollover") for verb in ROLLOVER_VERBS},
    **{f"crediting.{verb}": _("worked on a crediting run") for verb in RUN_VERBS},
    **{f"contributions.{verb}": _("worked on a contribution file") for verb in FILE_VERBS},
}
