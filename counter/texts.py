"""What acts at the window are called in the log that members and clerks read."""

from django.utils.translation import gettext_lazy as _

from accounts import audit_texts

ACTIONS = {
    "read_member": _("looked at the record"),
    "read_case": _("looked at an application"),
    "open_refused": _("tried to open a record that is not served here"),
    "case_open": _("began an application"),
    "case_submit": _("submitted an application"),
    "case_amend": _("took back or changed an application"),
    "case_consent": _("recorded the relative's consent"),
    "case_decline": _("recorded that the relative does not agree"),
    "case_withdraw": _("withdrew an application"),
    "case_approve": _("checked and granted an application"),
    "case_return": _("returned an application to be changed"),
    "case_refuse": _("refused an application"),
    "case_expire": _("let an application lapse"),
    "sharing_dry_run": _("asked whether sharing is possible"),
    "sharing_amended": _("changed the terms of an application"),
    "sharing_bound": _("put a sharing into force"),
    "sharing_ended": _("ended a sharing"),
    "sharing_adjusted": _("changed the terms of a sharing"),
    "sharing_paused": _("paused a sharing"),
    "sharing_resumed": _("took up a sharing again"),
    "sharing_reordered": _("changed the order of accounts"),
    "paper_issued": _("issued a paper"),
    "paper_copied": _("issued a copy of a paper"),
    "paper_held_back": _("asked for a paper that the printer cannot draw"),
    "paper_revoked": _("declared a paper void"),
    "window_premium_pay": _("paid a premium as the member asked"),
    "window_premium_order": _("had a premium debited at the month's end as the member asked"),
    "window_premium_refund": _("had a premium given back as the member asked"),
    "window_wallet_open": _("opened the wallet as the member asked"),
    "window_wallet_pays": _("let the wallet pay bills as the member asked"),
    "window_wallet_pays_not": _("let the wallet pay no more bills as the member asked"),
    "window_wallet_accept": _("accepted a wallet transfer as the member asked"),
    "window_wallet_send": _("sent a wallet transfer as the member asked"),
    "denied": _("asked for a page without a right to it"),
}


def register() -> None:
    """Called once when the app is ready."""
    for action, text in ACTIONS.items():
        audit_texts.register_action(action, text)
    audit_texts.register_reason("paper_revoked", "replaced", _("a new one says how it stands now"))
    audit_texts.register_reason("case_consent", "paper", _("the relative signed on paper"))
