"""What is said of bills paid in cash and of years settled anew: messages, refusals, lines of the log."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "claim_filed": (
        _("Your bill has been handed in"),
        _("Bill paid in cash, number %(case)s: it is checked by %(due_on)s. We tell you what comes of it."),
    ),
    "claim_returned": (
        _("Your bill came back to be changed"),
        _(
            "Bill paid in cash, number %(case)s. Reason: “%(reason)s”. The day on which you handed it in first still"
            " counts."
        ),
    ),
    "claim_refused": (
        _("Your bill is not paid back"),
        _("Bill paid in cash, number %(case)s, refused: %(reason)s"),
    ),
    "claim_granted": (
        _("Your bill is settled"),
        _(
            "Bill paid in cash, number %(case)s: %(amount)s yuan go to your bank account. The working is with your bills."
        ),
    ),
    "claim_reversed": (
        _("A settled bill was reversed"),
        _(
            "Your bill paid in cash, number %(case)s, was reversed: “%(reason)s”. Nothing is paid for it; it can be handed"
            " in anew."
        ),
    ),
    "claim_reversed_owed": (
        _("A settled bill was reversed"),
        _(
            "Your bill paid in cash, number %(case)s, was reversed: “%(reason)s”. %(amount)s yuan that were paid to you are"
            " to be paid back at the window. The bill can be handed in anew."
        ),
    ),
    "claim_reversed_back": (
        _("A settled bill was reversed"),
        _(
            "Your bill paid in cash, number %(case)s, was reversed: “%(reason)s”. %(amount)s yuan that its settling anew had"
            " you owe go to your bank account. The bill can be handed in anew."
        ),
    ),
    "bill_reversed": (
        _("A bill was reversed at the window"),
        _(
            "Your bill of %(service_on)s, %(institution)s, was reversed at the window, number %(case)s: “%(reason)s”."
            " Accounts and wallet have back what they paid; what you paid there in cash the institution gives back."
        ),
    ),
    "bill_reversed_owed": (
        _("A bill was reversed at the window"),
        _(
            "Your bill of %(service_on)s, %(institution)s, was reversed at the window, number %(case)s: “%(reason)s”."
            " Accounts and wallet have back what they paid; what you paid there in cash the institution gives back."
            " The %(amount)s yuan that were yours when it was settled anew are to be paid back at the window."
        ),
    ),
    "bill_reversed_back": (
        _("A bill was reversed at the window"),
        _(
            "Your bill of %(service_on)s, %(institution)s, was reversed at the window, number %(case)s: “%(reason)s”."
            " Accounts and wallet have back what they paid; what you paid there in cash the institution gives back."
            " %(amount)s yuan that its settling anew had you owe go to your bank account."
        ),
    ),
    "reimbursement_paid": (
        _("Money is on its way to your bank account"),
        _("For the case %(case)s %(amount)s yuan have been sent to your bank account."),
    ),
    "reimbursement_received": (
        _("Your payment has been received"),
        _("For the case %(case)s %(amount)s yuan have been received. Nothing is open any more."),
    ),
    "recalculated": (
        _("Your bills of a year were settled anew"),
        _("Your bills of the benefit year %(year)s were settled anew, number %(case)s. Nothing is to be paid in cash."),
    ),
    "recalculated_to_you": (
        _("Your bills of a year were settled anew"),
        _(
            "Your bills of the benefit year %(year)s were settled anew, number %(case)s. %(amount)s yuan go to your bank"
            " account."
        ),
    ),
    "recalculated_from_you": (
        _("Your bills of a year were settled anew"),
        _(
            "Your bills of the benefit year %(year)s were settled anew, number %(case)s. %(amount)s yuan are to be paid at"
            " the window, because the fund has paid that much too much."
        ),
    ),
}
REASONS = {
    "future_care": (
        _("The day of care lies in the future."),
        _("Look at the invoice for the day of care; of a stay it is the day of discharge."),
    ),
    "late_filing.deadline": (
        _("Bills of that day could be handed in until %(last_on)s; this one comes too late."),
        _("If there is a reason that still counts, tell it to the office in writing."),
    ),
    "different_region.claim": (
        _("On this day of care the patient was insured in another region, whose office pays the bill back."),
        _("Withdraw this one, and hand the bill in at the office of that region."),
    ),
    "duplicate.bill": (
        _(
            "A bill of the same person, day, institution and amount is settled already: number %(number)s, %(settled_on)s."
        ),
        _("Look for it among the settled bills; a bill is not paid twice."),
    ),
    "duplicate.invoice": (
        _("This invoice has been handed in before, number %(number)s."),
        _("Look for it among the cases; it is not handed in twice."),
    ),
    "duplicate.paid": (
        _("This was noted as paid on %(paid_on)s already."),
        _("There is nothing more to do."),
    ),
    "duplicate.recalculated": (
        _("This bill was settled anew by the office since, so the institution can no longer reverse it."),
        _("The patient has it reversed at a window of the insurance office, with the proof of the return."),
    ),
    "duplicate.bill_reversed": (
        _("This bill was reversed already."),
        _("There is nothing more to do at the window; the institution finds the reversal when it reconciles."),
    ),
    "not_settled_anew": (
        _("This bill was not settled anew, so the institution reverses it itself."),
        _("Ask the hospital or pharmacy to reverse it; accounts and funds have their money back at once."),
    ),
    "later_settlement": (
        _("Another part of the stay was settled after this one."),
        _("Have that part reversed first."),
    ),
    "nothing_changes": (
        _("No bill of the benefit year %(year)s comes out otherwise."),
        _("There is nothing to settle anew."),
    ),
    "bank_missing": (
        _("Money is to be paid back, and no bank account is given."),
        _("Enter the bank and the number of the account."),
    ),
    "already_asked": (
        _("The same year waits for its second check already, number %(number)s."),
        _("Wait for that, or withdraw it first."),
    ),
    "already_asked.claim": (
        _("The reversal of this bill waits for its second check already, number %(number)s."),
        _("Wait for that, or withdraw it first."),
    ),
    "claim_not_settled": (
        _("This bill is not settled, so there is nothing to reverse."),
        _("Withdraw it, or have it returned to be changed."),
    ),
    "duplicate.claim_reversed": (
        _("This bill was reversed already."),
        _("It can be handed in anew."),
    ),
    "recalculation_stale": (
        _("The bills come out otherwise by now: a bill was settled or reversed since."),
        _("Refuse the case; the clerk looks at the new figures and asks anew."),
    ),
}
ACTIONS = {
    "claim_reversed": _("reversed a settled bill that was paid in cash"),
    "bill_reversed": _("reversed a bill of an institution that was settled anew"),
    "claim_amended": _("changed a bill paid in cash"),
    "reimbursement_paid": _("noted a payment to or from the bank account"),
    "reimbursements_exported": _("wrote the list of payments with full bank accounts"),
}
