"""What drafts of rules and the catalogue say to people: refusals, acts in the log, and mistakes in a text."""

from django.utils.translation import gettext_lazy as _

from accounts.wording import Text, fill
from settlements.domain.region_file import Problem

REASONS = {
    "same_person.rules": (
        _("Whoever wrote a draft does not publish it."),
        _("Ask another administrator of the region to read it and publish it."),
    ),
    "draft_state": (
        _("This draft was published or discarded."),
        _("Make a new draft from the present version."),
    ),
    "draft_reason_missing": (
        _("Whoever made the draft does not learn why it was discarded."),
        _("Write the reason."),
    ),
    "draft_of_another": (
        _("Only whoever made a draft edits it: whoever edits may not publish."),
        _("Make a draft of your own from the present version."),
    ),
    "draft_changed": (
        _("The draft was edited after you opened it."),
        _("Read it again; then publish it."),
    ),
    "draft_same": (
        _("The draft says the same as the present version."),
        _("Edit it first, or discard it."),
    ),
    "draft_version_ended": (
        _("The version that the draft was made from ends on %(ended_on)s: another follows it already."),
        _("Make a new draft from the version that follows."),
    ),
    "draft_day_early": (
        _("A new version holds from tomorrow on at the earliest, and after the first day of the present one."),
        _("Choose %(earliest_on)s or a later day."),
    ),
    "draft_day_settled": (
        _("Bills of that day have been settled by the present version."),
        _("Choose %(earliest_on)s or a later day."),
    ),
    "trial_state": (
        _("The what-if is not in that state any more."),
        _("Look at the page again."),
    ),
    "trial_running": (
        _("A what-if of this draft is under way already."),
        _("Wait for it, or cancel it first."),
    ),
    "trial_empty": (
        _("No settlement of the region lies in what you chose."),
        _("Choose another month, or the last settlements."),
    ),
    # Catalogue files
    "catalogue_day_early": (
        _("Bills up to today were classified by the catalogue that holds."),
        _("Choose %(earliest_on)s or a later day."),
    ),
    "catalogue_moved": (
        _("The catalogue has changed since this file was compared with it."),
        _("Look at the new figures; then release it."),
    ),
    "catalogue_overlaps": (
        _("The database refused a code of the file: two versions of it would hold on one day."),
        _("Nothing was changed. Release it again; if it is refused again, tell whoever runs the portal."),
    ),
    "catalogue_later": (
        _("This code has a version from %(begins_on)s on already, which would be cut off."),
        _("Choose a later day for the file, or take the row out."),
    ),
    "catalogue_twice": (
        _("The same code stands in line %(first)s already."),
        _("Leave the row that is right and take the other one out."),
    ),
    "catalogue_class": (_("This is no class."), _("Write A, B or C, or 甲, 乙, 丙.")),
    "catalogue_percent": (
        _("This is no percentage from 0 to 100."),
        _("Write it like 10 or 12.5, at most two decimals."),
    ),
    "catalogue_percent_fraction": (
        _("This is less than one percent."),
        _("For ten percent write 10, not 0.1."),
    ),
    "catalogue_percent_missing": (
        _("Class B needs the percentage that is paid up front."),
        _("Enter it, 0 where there is none."),
    ),
    "catalogue_percent_class": (
        _("In class A nothing is paid up front and in class C everything is."),
        _("Leave the percentage empty, or correct the class."),
    ),
    "catalogue_limit_zero": (
        _("A price limit of zero would leave the whole price to the patient."),
        _("Leave it empty where there is no limit."),
    ),
    "cell_missing": (_("This cell is empty."), _("Fill it in.")),
    "cell_too_long": (_("This is longer than %(most)s characters."), _("Shorten it.")),
}

ACTIONS = {
    **{f"rules.{verb}": _("worked on a draft of rules") for verb in ("draft", "edit", "discard", "publish")},
    **{
        f"catalogue.{verb}": _("worked on a catalogue")
        for verb in ("upload", "read", "release", "bring_in", "withdraw")
    },
    **{f"trial.{verb}": _("tried a draft of rules") for verb in ("start", "pause", "resume", "cancel", "finish")},
}

# The mistakes of accounts.domain.reading.MESSAGES, as far as the text of one version can have them.
PROBLEMS: dict[str, Text] = {
    "missing": _("is missing"),
    "unknown_key": _("is not a key that is known here"),
    "wrong_type": _("should be of another kind: %(expected)s"),
    "bad_amount": _('should be an amount in quotation marks with at most two decimals, such as "500.00"'),
    "bad_percent": _('should be a percentage in quotation marks from "0" to "100" with at most two decimals'),
    "bad_date": _("should be a date such as 2025-07-01"),
    "not_one_of": _("should be one of: %(allowed)s"),
    "empty": _("should not be empty"),
    "repeated": _("holds %(value)s twice"),
    "out_of_range": _("should be a whole number from %(least)s to %(most)s"),
    "no_value": _("has no row that fits: %(circumstances)s"),
    "too_much": _("comes to %(value)s, more than %(most)s, for: %(circumstances)s"),
    "unknown_counter": _("names the counter %(counter)s, which the region does not have"),
    "not_adjustable": _("should be false where the order is %(order)s: only the filed order can be changed"),
    "band_order": _("is out of order: bands rise, and only the last has no up_to"),
    "one_version": _("is a second version: one text holds one"),
    "stage_order": _("is out of order: accounts and deductibles, then one rate, then one supplement if there is a cap"),
    "nested": _("has too many brackets within each other"),
}
# What is no TOML, by the codes of settlements.domain.toml_errors; the place stands before it.
SYNTAX: dict[str, Text] = {
    "toml": _("This cannot be read. Compare the line with one of the same kind above or below it."),
    "toml_statement": _("A line begins with a key, a [heading] or a # comment. Write key = value."),
    "toml_rest": _("Something follows the value. Put each key on a line of its own, and # before a remark."),
    "toml_equals": _("After the key an equals sign is missing. Write key = value, with the half-width sign =."),
    "toml_key": _(
        "No key begins with this character. Keys are of the letters a to z, digits and _; anything else stands in"
        " half-width quotation marks."
    ),
    "toml_header": _("The heading does not end. Close it with as many half-width ] as it began with [."),
    "toml_array": _("The list does not go on here. Put a half-width comma between its values and ] at its end."),
    "toml_inline_table": _(
        "The group in braces does not go on here. Put a half-width comma between its parts and } at its end."
    ),
    "toml_string": _(
        "A text in quotation marks has no end, here or in a line above. Close it with the mark with which it began."
    ),
    "toml_character": _(
        "There is a control character here, such as comes in by copying. Delete it and type the place anew."
    ),
    "toml_escape": _(
        "A backslash means something special in a text. Write \\\\ for a backslash, or put the text in '…'."
    ),
    "toml_date": _("There is no such day or time. Write the day like 2026-01-31."),
    "toml_twice": _(
        "This key or heading stands in the text already. Leave one of the two, or begin another row with [[…]]."
    ),
    "toml_value": _(
        "Here stands no value. Write texts, amounts and percentages in half-width quotation marks, whole numbers and days"
        " (2026-01-31) without, and yes or no as true or false."
    ),
}


def tell_problem(problem: Problem) -> str:
    """A mistake with its line and key in the reader's language; one that nobody translated in English."""
    if problem.code in SYNTAX:
        place = {"line": problem.line, "column": problem.params["column"], "reason": SYNTAX[problem.code]}
        return str(_("Line %(line)s, column %(column)s: %(reason)s")) % place
    text = PROBLEMS.get(problem.code)
    reason = fill(text, problem.params) if text is not None else problem.reason
    return str(_("Line %(line)s: %(key)s %(reason)s")) % {
        "line": problem.line or 1,
        "key": problem.key,
        "reason": reason,
    }
