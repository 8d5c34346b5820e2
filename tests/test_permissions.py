"""Who gets which page: every address of the project, for every kind of reader. A page that is not in the table fails here.

A new page needs a line in PAGES (a model in the administration one in ADMIN), and if its address holds an id, an entry
in `arguments`. The statuses are those of a plain GET: 200 the page, 302 led elsewhere (login, proof, no record open),
404 there is no such page for you, 405 only buttons lead here.
"""

from collections.abc import Iterator

from django.conf import settings
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from settlements.models import (
    BillReversal,
    Claim,
    PremiumOrder,
    PremiumPayment,
    Recalculation,
    WalletTransfer,
    WithdrawalApplication,
)
from tests.support.pages import log_in
from tests.world import READERS

# The member is the grantor of the application and of the grant, and the patient of the bill.
#                             anon mem  str  clk  sup  reg  sys  aud
PAGES = """
account_inactive              200  200  200  200  200  200  200  200
account_login                 200  302  302  302  302  302  302  302
account_logout                200  200  200  200  200  200  200  200
account_reauthenticate        302  200  200  200  200  200  200  200
accounts:claim                200  200  200  200  200  200  200  200
accounts:claim_code           302  302  302  302  302  302  302  302
accounts:claim_password       302  302  302  302  302  302  302  302
accounts:demo                 200  200  200  200  200  200  200  200
accounts:enrol_second_factor  302  302  302  302  302  302  302  302
accounts:forgotten            200  200  200  200  200  200  200  200
accounts:forgotten_code       302  302  302  302  302  302  302  302
accounts:forgotten_new        302  302  302  302  302  302  302  302
accounts:identity_done        302  302  302  404  404  404  404  404
accounts:inbox                302  200  200  404  404  404  404  404
accounts:inbox_read_all       302  405  405  405  405  405  405  405
accounts:login_by_text        200  302  302  302  302  302  302  302
accounts:login_by_text_code   302  302  302  302  302  302  302  302
accounts:me                   302  200  200  200  200  200  200  200
accounts:own_data             302  200  200  404  404  404  404  404
accounts:password             302  200  200  200  200  200  200  200
accounts:phone                302  200  200  404  404  404  404  404
accounts:phone_code           302  302  302  404  404  404  404  404
accounts:prove_by_text        302  200  200  404  404  404  404  404
accounts:prove_identity       302  302  302  404  404  404  404  404
accounts:renew_password       302  302  302  302  302  302  302  302
accounts:seen                 302  200  200  404  404  404  404  404
accounts:sessions             302  200  200  200  200  200  200  200
admin:app_list                302  302  302  302  302  200  200  200
admin:autocomplete            302  302  302  302  302  403  403  403
admin:index                   302  302  302  302  302  200  200  200
admin:jsi18n                  302  302  302  302  302  200  200  200
admin:login                   302  404  404  404  404  302  302  302
admin:logout                  302  302  302  302  302  302  302  302
admin:password_change_done    302  302  302  302  302  200  200  200
admin:password_change         302  302  302  302  302  302  302  302
admin:auth_user_password_change 302  302  302  302  302  403  404  403
admin:accounts_member_find    302  302  302  302  302  302  403  403
admin:settlements_settlement_after_death 302 302 302 302 302 200 403 403
admin:view_on_site            302  302  302  302  302  404  404  404
casework:bring                200  200  200  200  200  200  200  200
casework:mine                 302  200  200  404  404  404  404  404
counter:amend                 302  404  404  302  404  404  404  404
counter:bill                  302  404  404  302  404  404  404  404
counter:bill_paper            302  404  404  405  404  404  404  404
counter:bind                  302  404  404  302  404  404  404  404
counter:case                  302  404  404  200  404  404  404  404
counter:catalogue             302  404  404  200  200  404  404  404
counter:claim                 302  404  404  302  404  404  404  404
counter:close                 302  404  404  405  404  404  404  404
counter:closing               302  404  404  302  404  404  404  404
counter:closing_amend         302  404  404  302  404  404  404  404
counter:closing_begin         302  404  404  302  404  404  404  404
counter:closing_form          302  404  404  302  404  404  404  404
counter:closing_paper         302  404  404  405  404  404  404  404
counter:commitment            302  404  404  302  404  404  404  404
counter:end                   302  404  404  302  404  404  404  404
counter:home                  302  404  404  200  302  404  404  404
counter:journal               302  404  404  200  404  404  404  404
counter:member                302  404  404  302  404  404  404  404
counter:notice                302  404  404  302  404  404  404  404
counter:order                 302  404  404  302  404  404  404  404
counter:payments              302  404  404  404  200  404  404  404
counter:payments_file         302  404  404  404  405  404  404  404
counter:person                302  404  404  302  404  404  404  404
counter:premium               302  404  404  302  404  404  404  404
counter:premium_paper         302  404  404  302  404  404  404  404
counter:premium_pay           302  404  404  302  404  404  404  404
counter:premium_withdraw      302  404  404  302  404  404  404  404
counter:premiums              302  404  404  302  404  404  404  404
counter:queue                 302  404  404  404  200  404  404  404
counter:recalculate           302  404  404  302  404  404  404  404
counter:receipt               302  404  404  405  404  404  404  404
counter:review                302  404  404  404  200  404  404  404
counter:statement             302  404  404  302  404  404  404  404
counter:terms                 302  404  404  302  404  404  404  404
counter:transfer              302  404  404  302  404  404  404  404
counter:transfer_paper        302  404  404  302  404  404  404  404
counter:unmask                302  404  404  302  404  404  404  404
counter:wallet                302  404  404  302  404  404  404  404
counter:wallet_pays           302  404  404  302  404  404  404  404
counter:wallet_send           302  404  404  302  404  404  404  404
documents:check               200  200  200  200  200  200  200  200
documents:check_number        200  200  200  200  200  200  200  200
family:adjust                 302  200  404  404  404  404  404  404
family:amend                  302  200  404  404  404  404  404  404
family:application            302  200  404  404  404  404  404  404
family:bind                   302  200  200  404  404  404  404  404
family:bind_result            302  302  302  404  404  404  404  404
family:bind_terms             302  302  302  404  404  404  404  404
family:check                  302  302  404  404  404  404  404  404
family:end                    302  200  404  404  404  404  404  404
family:grant                  302  200  404  404  404  404  404  404
family:home                   302  200  200  404  404  404  404  404
family:invitation             302  404  404  404  404  404  404  404
family:order                  302  200  200  404  404  404  404  404
family:pause                  302  200  404  404  404  404  404  404
family:submitted              302  200  404  404  404  404  404  404
family:withdraw               302  200  404  404  404  404  404  404
favicon                       302  302  302  302  302  302  302  302
gateway:call                  405  405  405  405  405  405  405  405
gateway:call_service          405  405  405  405  405  405  405  405
gateway:call_nowhere          405  405  405  405  405  405  405  405
gateway:docs                  200  200  200  200  200  200  200  200
gateway:docs_codes            200  200  200  200  200  200  200  200
gateway:docs_errors           200  200  200  200  200  200  200  200
gateway:docs_sample           200  200  200  200  200  200  200  200
gateway:docs_signing          200  200  200  200  200  200  200  200
gateway:docs_transaction      200  200  200  200  200  200  200  200
healthz                       200  200  200  200  200  200  200  200
home                          200  200  200  302  302  302  302  302
mfa_authenticate              302  302  302  302  302  302  302  302
mfa_generate_recovery_codes   302  302  302  302  302  302  302  302
mfa_reauthenticate            302  302  302  302  302  302  302  302
mfa_view_recovery_codes       302  404  404  404  404  404  404  404
preferences:set               405  405  405  405  405  405  405  405
settlements:account           302  200  200  404  404  404  404  404
settlements:catalogue         302  200  200  404  404  404  404  404
settlements:estimate          302  200  200  404  404  404  404  404
settlements:closing           302  200  404  404  404  404  404  404
settlements:bill              302  200  404  404  404  404  404  404
settlements:bills             302  200  200  404  404  404  404  404
settlements:claim             302  200  404  404  404  404  404  404
settlements:claim_amend       302  302  404  404  404  404  404  404
settlements:claim_check       302  302  302  404  404  404  404  404
settlements:claim_new         302  200  200  404  404  404  404  404
settlements:claim_withdraw    302  200  404  404  404  404  404  404
settlements:recalculation     302  200  404  404  404  404  404  404
settlements:reversal          302  302  404  404  404  404  404  404
settlements:premium           302  200  404  404  404  404  404  404
settlements:premium_check     302  200  404  404  404  404  404  404
settlements:premium_group     302  200  404  404  404  404  404  404
settlements:premium_refund    302  200  404  404  404  404  404  404
settlements:premium_withdraw  302  200  404  404  404  404  404  404
settlements:premiums          302  200  200  404  404  404  404  404
settlements:why               302  200  200  404  404  404  404  404
settlements:statement         302  200  200  404  404  404  404  404
settlements:statement_copy    302  405  405  405  405  405  405  405
settlements:statement_file    302  405  405  405  405  405  405  405
settlements:transfer          302  200  404  404  404  404  404  404
settlements:transfer_accept   302  404  404  404  404  404  404  404
settlements:wallet            302  200  200  404  404  404  404  404
settlements:wallet_check      302  302  302  404  404  404  404  404
settlements:wallet_open       302  302  302  404  404  404  404  404
settlements:wallet_pays       302  302  302  404  404  404  404  404
settlements:wallet_moves      302  200  302  404  404  404  404  404
settlements:wallet_places     302  200  200  404  404  404  404  404
settlements:wallet_send       302  200  302  404  404  404  404  404
till:command                  404  404  404  404  404  404  404  404
till:patients                 200  200  200  200  200  200  200  200
till:receipt                  302  302  302  302  302  302  302  302
till:start                    200  200  200  200  200  200  200  200
till:visit                    302  302  302  302  302  302  302  302
"""

# Lists of the administration; who may not see the list finds none of the model's other pages either.
#                                        anon mem  str  clk  sup  reg  sys  aud
ADMIN = """
accounts_auditblock                      302  302  302  302  302  403  403  200
accounts_auditevent                      302  302  302  302  302  403  403  200
accounts_enrolment                       302  302  302  302  302  200  403  403
accounts_institution                     302  302  302  302  302  200  200  403
accounts_member                          302  302  302  302  302  200  403  403
accounts_message                         302  302  302  302  302  403  200  403
accounts_region                          302  302  302  302  302  200  200  403
accounts_servicecentre                   302  302  302  302  302  200  200  403
accounts_smsoutbox                       302  302  302  302  302  403  200  403
accounts_user                            302  302  302  302  302  403  200  403
casework_case                            302  302  302  302  302  200  403  403
casework_caseevent                       302  302  302  302  302  200  403  403
casework_workingdayexception             302  302  302  302  302  200  200  403
family_commitment                        302  302  302  302  302  200  200  403
family_deductionorder                    302  302  302  302  302  200  403  403
family_sharingapplication                302  302  302  302  302  200  403  403
family_sharinggrant                      302  302  302  302  302  200  403  403
family_sharingrules                      302  302  302  302  302  200  200  403
gateway_difference                       302  302  302  302  302  200  403  200
gateway_gatewayfile                      302  302  302  302  302  200  403  200
gateway_gatewaymessage                   302  302  302  302  302  200  200  403
gateway_institutionkey                   302  302  302  302  302  200  200  403
gateway_institutionsettings              302  302  302  302  302  200  200  403
gateway_signin                           302  302  302  302  302  200  200  403
gateway_reconciliation                   302  302  302  302  302  200  403  200
gateway_reconciliationday                302  302  302  302  302  200  403  200
settlements_cataloguefile                302  302  302  302  302  200  403  200
settlements_catalogueitem                302  302  302  302  302  200  200  403
settlements_creditrule                   302  302  302  302  302  200  200  403
settlements_ledgertransaction            302  302  302  302  302  200  403  403
settlements_payout                       302  302  302  302  302  200  403  403
settlements_personalaccount              302  302  302  302  302  200  403  403
settlements_premiumorder                 302  302  302  302  302  200  403  403
settlements_premiumpayment               302  302  302  302  302  200  403  403
settlements_premiumplan                  302  302  302  302  302  200  200  403
settlements_contribution                 302  302  302  302  302  200  403  403
settlements_contributionfile             302  302  302  302  302  200  403  200
settlements_creditrun                    302  302  302  302  302  200  403  200
settlements_rolloverrun                  302  302  302  302  302  200  403  200
settlements_ruledraft                    302  302  302  302  302  200  403  200
settlements_scheme                       302  302  302  302  302  200  200  403
settlements_settlement                   302  302  302  302  302  200  403  403
settlements_wallet                       302  302  302  302  302  200  403  403
settlements_wallettransfer               302  302  302  302  302  200  403  403
"""


def read(table: str) -> dict[str, list[int]]:
    rows = (line.split() for line in table.splitlines() if line.strip())
    return {name: [int(status) for status in statuses] for name, *statuses in rows}


def names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """Every name an address has; one without a name has only its shape."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}"


def all_names() -> set[str]:
    return set(names(get_resolver()))


def model_of(name: str) -> str:
    """admin:family_sharinggrant_change -> family_sharinggrant."""
    return name.removeprefix("admin:").rsplit("_", 1)[0]


# Django's own catch-alls: an old form of the address of a change page, and "no such page".
NAMELESS = {"admin:None"}


def test_every_page_is_in_the_table() -> None:
    known = set(read(PAGES)) | NAMELESS
    models = set(read(ADMIN))
    missing = [name for name in all_names() - known if not (name.startswith("admin:") and model_of(name) in models)]
    gone = [name for name in read(PAGES) if name not in all_names()]
    gone += [model for model in models if f"admin:{model}_changelist" not in all_names()]
    assert (sorted(missing), sorted(gone)) == ([], [])


def arguments(name: str, world: tuple) -> list[object]:
    """What stands in the address."""
    people, application, grant, settled, paper = world
    case = application.case.public_id
    by_name: dict[str, list[object]] = {
        "documents:check_number": [paper.number],
        "settlements:bill": [settled.public_id],
        "settlements:statement_copy": [paper.public_id],
        "settlements:premium": [PremiumPayment.objects.get().public_id],
        "settlements:premium_refund": [PremiumPayment.objects.get().public_id],
        "settlements:premium_withdraw": [PremiumOrder.objects.get().public_id],
        "settlements:premium_group": [people.child.public_id],
        "settlements:premium_check": [people.child.public_id],
        "settlements:transfer": [WalletTransfer.objects.get().public_id],
        "settlements:transfer_accept": [WalletTransfer.objects.get().public_id],
        "gateway:call_service": ["fsiPsnInfoService", "queryPsnInfo"],
        "gateway:docs_sample": ["2207", "request"],
        "gateway:docs_transaction": ["2207"],
        "admin:auth_user_password_change": [1],
        "admin:app_list": ["accounts"],
        "admin:view_on_site": [1, 1],
        "counter:end": [grant.public_id],
        "counter:terms": [grant.public_id],
        "counter:bill": [settled.public_id],
        "counter:bill_paper": [Claim.objects.get().case.public_id],
        "till:command": [1],
        "till:patients": [people.institution.code],
        "counter:closing_begin": ["withdrawal"],
        "counter:notice": ["sharing"],
        "counter:premium": [PremiumPayment.objects.get().public_id],
        "counter:premium_paper": [PremiumPayment.objects.get().public_id],
        "counter:premium_pay": [people.child.public_id],
        "counter:premium_withdraw": [PremiumOrder.objects.get().public_id],
        "counter:transfer": [WalletTransfer.objects.get().public_id],
        "counter:transfer_paper": [WalletTransfer.objects.get().public_id],
    }
    for page in ("grant", "adjust", "pause", "end"):
        by_name[f"family:{page}"] = [grant.public_id]
    for page in ("application", "check", "submitted", "amend", "withdraw", "invitation"):
        by_name[f"family:{page}"] = [case]
    for page in ("case", "amend", "commitment", "receipt", "review"):
        by_name[f"counter:{page}"] = [case]
    withdrawn = WithdrawalApplication.objects.get().case.public_id
    for page in ("closing_amend", "closing_form", "closing_paper"):
        by_name[f"counter:{page}"] = [withdrawn]
    by_name["settlements:closing"] = [withdrawn]
    for page in ("claim", "claim_amend", "claim_withdraw"):
        by_name[f"settlements:{page}"] = [Claim.objects.get().case.public_id]
    by_name["settlements:recalculation"] = [Recalculation.objects.get().case.public_id]
    by_name["settlements:reversal"] = [BillReversal.objects.get().case.public_id]
    return by_name.get(name, [])


def given(clients: dict[str, Client], address: str) -> list[int]:
    return [client.get(address).status_code for client in clients.values()]


def test_each_reader_gets_what_the_table_says(world, clients) -> None:
    wrong = {}
    for name, expected in read(PAGES).items():
        got = given(clients, reverse(name, args=arguments(name, world)))
        if got != expected:
            wrong[name] = f"{got} instead of {expected}"
    assert wrong == {}


def test_each_reader_gets_of_the_administration_what_the_table_says(clients) -> None:
    wrong = {}
    for model, expected in read(ADMIN).items():
        got = given(clients, reverse(f"admin:{model}_changelist"))
        if got != expected:
            wrong[model] = f"{got} instead of {expected}"
    assert wrong == {}


def test_who_may_not_see_a_list_of_the_administration_finds_none_of_its_pages(clients) -> None:
    found = []
    for model, statuses in read(ADMIN).items():
        outside = [reader for reader, one in zip(READERS, statuses, strict=True) if one == 403]
        for action, args in (("add", []), ("change", [1]), ("delete", [1]), ("history", [1])):
            name = f"admin:{model}_{action}"
            if name in all_names():
                address = reverse(name, args=args)
                found += [(name, reader) for reader in outside if clients[reader].get(address).status_code == 200]
    assert found == []


def test_the_demo_page_and_the_till_are_only_in_the_demo() -> None:
    for name in ("accounts:demo", "till:start", "till:patients", "till:visit", "till:receipt", "till:command"):
        assert (name in all_names()) is settings.DEMO


def test_what_is_only_for_a_button_says_so(world, clients) -> None:
    """Not an empty page: it is met after a new login in between, or in the browser's history."""
    told = []
    for name, statuses in read(PAGES).items():
        if 405 in statuses and not name.startswith(("admin:", "gateway:")):
            answer = clients["member"].get(
                reverse(name, args=arguments(name, world)), headers={"accept-language": "en"}
            )
            if answer.status_code == 405:
                told.append("This address only works by its button" in answer.text and "POST" in answer["Allow"])
    assert told and all(told)


# Citizens' pages that take a form: those that ask for a proof of the last five minutes first (A11), and those that do not,
# because they change nothing for good, or because they are the way to prove it. A new one belongs to one of the two.
PROVEN = """
accounts:own_data accounts:password accounts:phone accounts:phone_code mfa_generate_recovery_codes
family:adjust family:check family:end family:invitation family:order family:pause
settlements:claim_amend settlements:claim_check settlements:claim_withdraw
settlements:premium_check settlements:premium_refund settlements:premium_withdraw
settlements:transfer_accept settlements:wallet_check settlements:wallet_open settlements:wallet_pays
"""
UNPROVEN = """
account_login account_logout account_reauthenticate accounts:prove_by_text mfa_authenticate mfa_reauthenticate
accounts:claim accounts:claim_code accounts:claim_password accounts:demo accounts:enrol_second_factor accounts:forgotten
accounts:forgotten_code accounts:forgotten_new accounts:identity_done accounts:inbox accounts:inbox_read_all
accounts:login_by_text accounts:login_by_text_code accounts:me accounts:prove_identity accounts:renew_password
accounts:seen accounts:sessions preferences:set
family:amend family:bind family:bind_terms family:withdraw
settlements:claim_new settlements:statement_copy settlements:statement_file settlements:wallet_send
"""


def test_what_moves_money_or_people_asks_for_a_proof(world) -> None:
    stale = log_in(world[0].holder, fresh=False)
    unproven, asked, others = UNPROVEN.split(), [], []
    for name in read(PAGES):
        if name.startswith(("admin:", "till:", "gateway:", "counter:")) or name == "account_logout":
            continue
        answer = stale.post(reverse(name, args=arguments(name, world)))
        proves = answer.status_code == 302 and answer["Location"].startswith("/prove/")
        if proves and name not in unproven:
            asked.append(name)
        elif answer.status_code != 405 and name not in unproven:
            others.append(name)
        stale.get("/nowhere/")
    assert (sorted(asked), others) == (sorted(PROVEN.split()), [])


def test_the_bank_s_file_and_the_administration_ask_for_a_proof_too(world) -> None:
    """Lists are looked at without; every form there is an act."""
    people = world[0]
    asked = [
        log_in(people.supervisor, fresh=False).post(reverse("counter:payments_file")),
        log_in(people.region_admin, fresh=False).post(reverse("admin:accounts_member_find"), {"number": "1"}),
        log_in(people.system_admin, fresh=False).post(reverse("admin:accounts_user_add"), {}),
    ]
    assert [(one.status_code, one["Location"].split("?")[0]) for one in asked] == [(302, "/prove/")] * 3
