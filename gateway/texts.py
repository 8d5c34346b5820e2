"""What the gateway tells an institution when it refuses: one sentence, and the code in brackets as insurers do."""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import reasons
from accounts.errors import Refused
from accounts.wording import listed
from gateway.envelope import MOST_ERR_MSG

TEXTS: Mapping[str, Promise] = {
    # Headers. The first four say what the national gateways say, so integrators know them.
    "headers_missing": _("Gateway request headers are missing: %(headers)s"),
    "timestamp_off": _("The timestamp of the signature is more than %(minutes)s minutes off"),
    "key_unknown": _("Unknown key ID"),
    "signature_wrong": _("The signature does not match"),
    "key_expired": _("The key is not valid at this time; ask the administrator for a new one"),
    "nonce_used": _("This nonce was used before; sign each call anew"),
    "institution_unknown": _("fixmedins_code is not that of the institution whose key signed"),
    "institution_suspended": _("The institution is suspended and may not settle"),
    "address_not_allowed": _("This institution may not call from the address %(address)s; ask the administrator"),
    "sign_in_needed": _("Sign in first (9001) and send its sign_no with each call of the day"),
    "sign_in_password": _("password is not the MD5 of currenttime and the secret of a valid key of this institution"),
    "sign_no_unknown": _("This sign-in is not found or is over; check sign_no and opter_no"),
    # Body and fields.
    "body_too_large": _("The message is larger than %(megabytes)s MB"),
    "body_compressed": _("The message is compressed; send it as it is, without Content-Encoding"),
    "body_not_utf8": _("The message is not UTF-8; another encoding is not accepted"),
    "body_cut": _("The message broke off; send it again"),
    "body_not_json": _("The message is not JSON; look at line and column %(place)s"),
    "body_constant": _("The message is not JSON: %(place)s is no value"),
    "body_too_deep": _("The message has too many levels: %(place)s"),
    "field_repeated": _("%(place)s is there twice"),
    "post_only": _("Send the message by POST"),
    "path_unknown": _("No transaction has the address %(path)s"),
    "busy": _("The system is busy; send the same msgid again in a moment"),
    "infno_unknown": _("Unknown transaction number %(infno)s"),
    "infno_mismatch": _("The transaction number in the address is not that of the message, %(infno)s"),
    "node_missing": _("Node %(node)s is missing or has the wrong form"),
    "field_missing": _("%(field)s is required"),
    "field_too_long": _("%(field)s is longer than %(most)s"),
    "field_format": _("%(field)s has the wrong format, wanted: %(kind)s"),
    "dictionary_unknown": _("There is no code list %(type)s; type is the name of a field"),
    "field_code": _("%(field)s is not in its code list"),
    "answer_deleted": _("This msgid was answered on %(day)s, and the answer is no longer kept; send a new one"),
    "msgid_reused": _("This msgid was used for another request; send a new one"),
    "system_error": _("The system is busy; send the same msgid again in a moment"),
    # Business.
    "credential_unsupported": _(
        "This kind of credential is not accepted yet; use the ID card or the social security card"
    ),
    "person_unknown": _(
        "No insured person is found with these details; check psn_no, mdtrt_cert_type, mdtrt_cert_no, certno and psn_name"
    ),
    "begun_later": _("begntime lies in the future"),
    "visit_unknown": _("This visit is not found; check mdtrt_id, psn_no and, to cancel it, ipt_otp_no"),
    "several_visits": _("One upload may hold lines of one visit only"),
    "line_repeated": _("feedetl_sn %(line)s is there twice, or was uploaded before in this visit"),
    "line_later": _("fee_ocur_time of line %(line)s lies in the future"),
    "line_early": _(
        "fee_ocur_time of line %(line)s lies more than a day before the visit, which began on %(begun)s (begntime);"
        " check both"
    ),
    "line_quantity": _("cnt of line %(line)s is 0; a line has a quantity"),
    "line_amount": _(
        "det_item_fee_sumamt of line %(line)s is %(amount)s yuan, but cnt times pric is %(expected)s yuan"
    ),
    "amount_too_large": _("The amount (det_item_fee_sumamt, medfee_sumamt) is too large"),
    "batch_empty": _("Charge batch %(batch)s (chrg_bchno) has no lines; upload them first (2204)"),
    "batch_settled": _("Charge batch %(batch)s (chrg_bchno) is already settled; reverse it first (2208)"),
    "total_other": _("medfee_sumamt is %(amount)s yuan, but the uploaded lines come to %(expected)s yuan"),
    "insutype_other": _("insutype is not the insurance of the visit"),
    "med_type_unsupported": _("This med_type cannot be settled here yet, or does not fit the institution"),
    # Files and reconciliation.
    "file_empty": _("The file is empty; send it as a part of the form or in the field in"),
    "files_too_many": _("More than %(megabytes)s MB of your files are kept; older ones are deleted by and by"),
    "file_unknown": _("This file is not found; check file_qury_no"),
    "file_gone": _("This file was deleted after %(days)s days; upload it or compare again"),
    "file_broken": _("The file cannot be unpacked; send one TXT file in a ZIP"),
    "file_locked": _("The ZIP has a password; send it without"),
    "file_several": _("The ZIP must hold exactly one file"),
    "file_too_large": _("The file is larger than %(megabytes)s MB unpacked; compare fewer days at a time"),
    "file_not_utf8": _("The file is not UTF-8"),
    "file_too_many_lines": _("The file has more than %(most)s lines; compare fewer days at a time"),
    "line_columns": _("Line %(line)s has %(found)s columns, separated by tabs; %(wanted)s are wanted"),
    "file_total_other": _(
        "%(field)s is %(amount)s yuan, but the lines of the file come to %(found)s yuan; upload the whole file again"
    ),
    "agency_unknown": _("setl_optins %(agency)s is no region; send the clr_optins of the answer to the settlement"),
    "insutype_unknown": _("Insurance %(insutype)s is not settled here"),
    "period_backwards": _("The end date lies before the start date"),
    "period_long": _("At most %(days)s days can be compared at a time"),
    "settlement_unknown": _("This settlement is not found; check setl_id and mdtrt_id"),
    # Stays in hospital.
    "not_a_stay": _("This visit is no stay in hospital; use the transactions for outpatients (22xx)"),
    "is_a_stay": _("This visit is a stay in hospital; use the transactions for inpatients (23xx, 24xx)"),
    "time_later": _("%(field)s lies in the future"),
    "stay_open": _("The person is in hospital since %(since)s; that stay must be discharged first (2402)"),
    "stay_overlaps": _("The person was in hospital from %(since)s to %(until)s; check begntime"),
    "discharge_early": _("%(field)s lies before the admission, %(admitted)s"),
    "discharge_before_part": _(
        "%(field)s lies before %(settled)s, when a part of the stay was settled; reverse that first (2305)"
    ),
    "not_discharged": _(
        "The person is still in hospital; discharge first (2402), or send mid_setl_flag 1 to settle what there is so far"
    ),
    "discharge_unknown": _("The person is in hospital; there is no discharge to take back"),
    "mid_after_discharge": _("The person is discharged; send mid_setl_flag 0"),
    "mid_unsupported": _(
        "The rules of the place of insurance count by the stay; settle once, after the discharge, with mid_setl_flag 0"
    ),
    "stay_discharged": _("The person is discharged already; take the discharge back first (2405)"),
    "stay_settled": _("The stay is settled already; reverse the settlement first (2305)"),
    "stay_paid": _("A part of the stay is settled; reverse that settlement first (2305)"),
    "stay_cancelled": _("The admission was cancelled (2404); admit anew (2401)"),
    "stay_empty": _("The stay has no lines that are not settled; upload them first (2301)"),
    "other_person": _("%(field)s is not that of the visit"),
    "line_outside_stay": _("Line %(line)s lies outside the stay, %(first)s to %(last)s; check fee_ocur_time"),
    "line_before_stay": _("Line %(line)s lies before the admission, %(first)s; check fee_ocur_time"),
    "line_unknown": _("Line %(line)s is not found in this visit; check feedetl_sn and init_feedetl_sn"),
    "line_settled": _("Line %(line)s is settled; reverse the settlement first (2305)"),
    "line_refunded": _("Line %(line)s was refunded by line %(refund)s; cancel both"),
    "refund_other": _("Line %(line)s must have the code and the price of line %(charged)s, which it takes back"),
    "refund_more": _("Line %(line)s takes back more than is left of line %(charged)s, %(left)s yuan"),
    "later_settlement": _("Another part of the stay was settled after this one; reverse that settlement first"),
    # Queries.
    "range_backwards": _("endtime lies before begntime"),
    "too_many_rows": _("More than %(most)s rows; ask for a shorter time"),
    "msgid_corrected": _("This message was undone by a correction (2601); send a new msgid"),
    "insuplc_not_held": _(
        "The insurance place %(place)s (insuplc_admdvs) is not served here; settle out-of-area, or in cash"
    ),
    "insuplc_other": _("insuplc_admdvs is not where this person is insured; ask again with 1101"),
    "insurance_ended": _("The insurance of this person has ended; nothing can be settled"),
    "insutype_not_his": _("The person is not insured in this insurance (insutype)"),
    "visit_cancelled": _("This visit was cancelled (2202); register it again (2201)"),
    "visit_expired": _("This visit was not settled within %(days)s days and was given up; register it again (2201)"),
    "lines_uploaded": _("The visit has fee lines; cancel them first (2205)"),
    "lines_too_many": _("feedetail may hold %(most)s lines at most; send the rest in another message"),
    "diagnosis_later": _("diag_time of diagnosis %(diagnosis)s lies in the future"),
    "med_type_other": _("A visit has one med_type, and that of this one is %(med_type)s"),
    "not_a_pharmacy": _("Only pharmacies settle in one step; hospitals register the visit first (2201)"),
    "already_reversed": _("The settlement was reversed already; a correction is not possible"),
    "duplicate": _("The settlement was reversed already; there is nothing left to take back"),
    "correction_unsupported": _("Transaction %(infno)s (oinfno) cannot be corrected; reverse it instead"),
    "correction_other": _("omsgid is the message of transaction %(infno)s, not of oinfno"),
}
# Codes of others that have several reasons, and institutions are to do something else than members.
REASONS: Mapping[str, Promise] = {
    "not_covered.no_scheme": _(
        "The rules of the place of insurance for this insurance (insutype) and kind of care (med_type) are not entered yet,"
        " so it cannot be settled here; charge it in full and have the patient keep the invoice, the insurance office tells"
        " what is paid back"
    ),
    "not_covered.not_known": _(
        "For this care no reliable figures of the place of insurance are known, so it cannot be settled here; charge it in"
        " full and have the patient keep the invoice, the insurance office tells what is paid back"
    ),
    "duplicate.recalculated": _(
        "This bill was settled anew by the office since; a window of the insurance office reverses it, where the patient"
        " brings the proof of the return. It is then in 3202"
    ),
    "duplicate.at_window": _(
        "This bill was reversed at a window of the insurance office; enter the reversal %(number)s on your side (5203)"
    ),
}


def outcome(code: str) -> str:
    """How a call ended, for people: the sentence of the code without the facts of the one call."""
    if code in ("", "ok"):
        return str(_("Succeeded") if code else _("never answered: the process ended"))
    # A message that a correction undid; a fault of ours has the name of its error.
    code = {"corrected": "msgid_corrected"}.get(code, code if code[0].islower() else "system_error")
    told = str(TEXTS[code]) if code in TEXTS else str(reasons.tell(code).reason)
    return re.sub(r"%\(\w+\)s", "…", told)


def err_msg(refusal: Refused) -> str:
    """The text of `err_msg` in the language that is active; at most 200 characters."""
    told = REASONS.get(f"{refusal.code}.{refusal.params.get('why')}") or TEXTS.get(refusal.code)
    facts = {name: listed(fact) if isinstance(fact, tuple) else fact for name, fact in refusal.params.items()}
    text = str(told) % facts if told else reasons.tell(refusal.code, refusal.params)[0]
    code = f"[{refusal.code}]"
    return f"FSI-{text}"[: MOST_ERR_MSG - len(code)] + code
