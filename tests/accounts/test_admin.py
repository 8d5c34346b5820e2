"""The administration: its login, who sees what, and that nobody gives himself power (Z9, D3)."""

import datetime
import re

import pytest
from bs4 import BeautifulSoup
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.urls import reverse
from django.utils import translation

from accounts import clock
from accounts.actions import users
from accounts.clock import now
from accounts.crypto import blind_index
from accounts.enums import Role
from accounts.models import AuditEvent, Institution, Message, RoleAssignment, SmsOutbox, User
from accounts.policies import roles_of
from accounts.tasks import tidy_accounts
from tests.people import PASSWORD, make_id_number, make_member, make_region, make_staff, totp_code
from tests.support.pages import english, fields, log_in

DAY = datetime.timedelta(days=1)
MODELS = [
    "region",
    "institution",
    "servicecentre",
    "member",
    "enrolment",
    "user",
    "auditevent",
    "auditblock",
    "message",
    "smsoutbox",
]
SEEN = {
    "region_admin": {"region", "institution", "servicecentre", "member", "enrolment"},
    "system_admin": {"region", "institution", "servicecentre", "user", "message", "smsoutbox"},
    "auditor": {"auditevent", "auditblock"},
}


def prove(client):
    """As after a login of a moment ago: changes ask for a fresh proof."""
    client.post("/prove/", {"password": PASSWORD})


def test_the_administration_has_no_login_of_its_own(client):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize("who", ["holder", "clerk", "supervisor"])
def test_others_find_no_such_page(client, people, who):
    client.force_login(getattr(people, who))
    assert client.get("/admin/", follow=True).status_code == 404


@pytest.mark.parametrize("who", SEEN)
@pytest.mark.parametrize("model", MODELS)
def test_each_sees_what_his_role_is_for(client, people, who, model):
    client.force_login(getattr(people, who))
    status = client.get(reverse(f"admin:accounts_{model}_changelist")).status_code
    assert status == (200 if model in SEEN[who] else 403)


def test_members_are_masked_found_whole_and_every_look_is_recorded(people):
    """The number is posted, never a part of an address: addresses stay in logs and in the browser's history (L5)."""
    member, client = people.holder.member, log_in(people.region_admin)
    elsewhere = make_member(region=make_region("110000"))
    page, find = reverse("admin:accounts_member_changelist"), reverse("admin:accounts_member_find")
    form = client.get(page).text.split('id="changelist-search"')[1].split(">")[0]
    assert 'method="post"' in form and find in form
    record = reverse("admin:accounts_member_change", args=[member.pk])
    for number in (member.id_number, member.card_number):
        assert client.post(find, {"number": number})["Location"] == record
    for number in (member.id_number[:17], elsewhere.id_number, ""):
        assert client.post(find, {"number": number})["Location"] == page
    assert AuditEvent.objects.filter(action="admin_search", member_id=elsewhere.pk).count() == 1
    assert str(member.public_id) not in client.get(page, {"q": member.id_number}).text
    shown = client.get(record).text
    assert member.id_number not in shown and member.name not in shown
    assert AuditEvent.objects.filter(action="admin_view", member_id=member.pk).count() == 1


def test_a_region_administrator_sees_his_own_region(client, people):
    stranger = make_member(region=make_region("110000"))
    client.force_login(people.region_admin)
    page = client.get(reverse("admin:accounts_member_change", args=[stranger.pk]), follow=True)
    assert str(stranger.public_id) not in page.content.decode()


def roles_form(user, **new):
    prefix = "role_assignments"
    return {
        "username": user.username,
        "display_name": user.display_name,
        "is_active": "on",
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "0",
        **{f"{prefix}-0-{name}": value for name, value in new.items()},
    }


def test_a_role_is_given_by_another_with_a_fresh_proof(client, people):
    client.force_login(people.system_admin)
    url = reverse("admin:accounts_user_change", args=[people.clerk.pk])
    data = roles_form(people.clerk, role=Role.SUPERVISOR, region=people.region.pk)
    data["role_assignments-INITIAL_FORMS"] = "0"
    held = RoleAssignment.objects.filter(user=people.clerk, role=Role.SUPERVISOR)
    assert client.post(url, data)["Location"].startswith("/prove/")
    assert not held.exists()
    # The form waited, and is sent on after the proof.
    client.post(f"/prove/?next={url}", {"password": PASSWORD})
    assert held.get().granted_by == people.system_admin
    assert AuditEvent.objects.filter(action="grant_role", actor_id=people.system_admin.pk).count() == 1


def test_a_role_is_called_as_its_reader_calls_it(people):
    with translation.override("zh-hans"):
        assert str(people.clerk.role_assignments.get()).endswith("柜员")


def test_nobody_gives_himself_a_role(client, people):
    client.force_login(people.system_admin)
    prove(client)
    url = reverse("admin:accounts_user_change", args=[people.system_admin.pk])
    assert (
        client.post(url, roles_form(people.system_admin, role=Role.CLERK, region=people.region.pk)).status_code == 403
    )
    assert people.system_admin.role_assignments.count() == 1


def test_the_second_factor_of_another_can_be_reset(client, people):
    totp_code(people.clerk)
    totp_code(people.system_admin)
    client.force_login(people.system_admin)
    prove(client)
    chosen = [people.clerk.pk, people.system_admin.pk]
    url, data = (
        reverse("admin:accounts_user_changelist"),
        {"action": "reset_second_factor", "_selected_action": chosen},
    )
    asked = client.post(url, data)
    assert people.clerk.username in asked.text and people.system_admin.username not in str(asked.context["chosen"])
    assert client.post(url, data | {"confirmed": "1", "reason": ""}).status_code == 422
    assert people.clerk.authenticator_set.exists(), "asked first, and for the reason"
    client.post(url, data | {"confirmed": "1", "reason": "手机遗失，本人到场"})
    assert not people.clerk.authenticator_set.exists()
    assert AuditEvent.objects.get(action="reset_second_factor").reason == "手机遗失，本人到场"
    assert people.system_admin.authenticator_set.exists()


def test_a_new_login_of_staff_needs_a_long_password(client, people):
    client.force_login(people.system_admin)
    prove(client)
    data = {"username": "w90001", "display_name": "柜员庚", "usable_password": "true"}
    data["id_number"] = make_id_number(datetime.date(1988, 4, 5))
    url = reverse("admin:accounts_user_add")
    assert client.post(url, data | {"password1": "Kx7-pine", "password2": "Kx7-pine"}).status_code == 200
    assert client.post(url, data | {"password1": "Pine-cone-2026", "password2": "Pine-cone-2026"}).status_code == 302


def test_a_password_that_an_administrator_sets_lasts_until_the_next_login(people):
    client, clerk = log_in(people.system_admin), people.clerk
    page = reverse("admin:auth_user_password_change", args=[clerk.pk])
    new = {"password1": "Pine-cone-2026", "password2": "Pine-cone-2026", "usable_password": "true"}
    assert client.post(page, new).status_code == 302
    clerk.refresh_from_db()
    assert clerk.check_password("Pine-cone-2026") and clerk.password_set_at is None
    made = {"username": "w90003", "display_name": "柜员壬", "id_number": make_id_number(datetime.date(1988, 4, 5))}
    assert client.post(reverse("admin:accounts_user_add"), new | made).status_code == 302
    assert User.objects.get(username="w90003").password_set_at is None


def test_a_new_login_of_staff_says_whose_it_is_and_never_shows_it(client, people):
    client.force_login(people.system_admin)
    prove(client)
    number, other = (make_id_number(datetime.date(1988, 4, day)) for day in (5, 6))
    data = {"username": "w90002", "display_name": "柜员辛", "usable_password": "true"}
    data |= {"password1": "Pine-cone-2026", "password2": "Pine-cone-2026"}
    add = reverse("admin:accounts_user_add")
    for wrong in ("", number[:17]):
        assert "id_number" in client.post(add, data | {"id_number": wrong}).context["adminform"].form.errors
    assert client.post(add, data | {"id_number": number}).status_code == 302
    made = User.objects.get(username="w90002")
    assert made.person_index == blind_index(number)

    url = reverse("admin:accounts_user_change", args=[made.pk])
    page = client.get(url).content.decode()
    assert 'name="id_number"' in page and number not in page and made.person_index not in page
    for given, kept in [("", number), (other, other)]:
        assert client.post(url, roles_form(made) | {"id_number": given}).status_code == 302
        made.refresh_from_db()
        assert made.person_index == blind_index(kept)
    assert not any(number in str(line.details) for line in AuditEvent.objects.all())


def test_the_filter_by_region_offers_only_regions_whose_rows_are_seen(client, people):
    make_region("110000")
    region = people.region_admin.role_assignments.get().region
    make_staff(Role.REGION_ADMIN, region=make_region("210100"))
    RoleAssignment.objects.create(user=people.region_admin, role=Role.REGION_ADMIN, region_id="210100")
    client.force_login(people.region_admin)
    for model, row_admin in admin.site._registry.items():
        if "region" not in row_admin.list_filter or not row_admin.region_path:
            continue
        page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        offered = {key for key in (region.pk, "210100", "110000") if f"region__code__exact={key}" in page.text}
        assert offered == {region.pk, "210100"}, model


def test_who_has_one_region_is_not_asked_to_choose_it(client, people):
    make_region("110000")
    client.force_login(people.region_admin)
    page = client.get(reverse("admin:settlements_rolloverrun_changelist"))
    assert page.status_code == 200
    assert "region__code__exact" not in page.text
    # Published rules are for everybody to read, so there every region is offered.
    assert "region__code__exact=110000" in client.get(reverse("admin:settlements_scheme_changelist")).text


@pytest.mark.parametrize("role", [Role.CLERK, Role.SUPERVISOR, Role.REGION_ADMIN])
def test_a_role_of_a_region_is_not_given_without_it(people, role):
    """It would hold in all regions."""
    someone = make_staff(Role.AUDITOR)
    with pytest.raises(ValidationError) as refused:
        users.grant_role(user=someone, role=role, by=people.system_admin, at=now())
    assert set(refused.value.message_dict) == {"region"}
    with pytest.raises(IntegrityError, match="role_has_its_region"):
        RoleAssignment.objects.create(user=someone, role=role)


def test_a_desk_stands_in_the_region_of_its_role(people):
    someone, other = make_staff(Role.AUDITOR), make_region("110000")
    with pytest.raises(ValidationError) as refused:
        users.grant_role(
            user=someone, role=Role.CLERK, by=people.system_admin, at=now(), region=other, centre=people.centre
        )
    assert set(refused.value.message_dict) == {"centre"}


def test_lists_of_the_administration_speak_chinese(client, people):
    Message.objects.create(member=people.holder.member, kind="wallet_returned", params={}, created_at=now())
    SmsOutbox.objects.create(kind="code", phone="13800000000", text="1", created_at=now())
    client.force_login(people.system_admin)
    for model, said in (("message", "阅读时间"), ("smsoutbox", "尝试次数")):
        page = client.get(reverse(f"admin:accounts_{model}_changelist"), headers={"accept-language": "zh-hans"}).text
        assert said in page
        assert "created at" not in page.lower()
    own = client.get(reverse("admin:accounts_user_change", args=[people.system_admin.pk])).text
    assert "id_number" not in own and "argon2" not in own
    client.force_login(people.auditor)
    log = client.get(reverse("admin:accounts_auditevent_changelist"), headers={"accept-language": "zh-hans"}).text
    assert "field-told_channel" in log
    AuditEvent.objects.create(action="login_failed", actor="system", at=now(), target="login", channel="system")
    log = client.get(reverse("admin:accounts_auditevent_changelist"), headers={"accept-language": "zh-hans"}).text
    assert '<td class="field-told_actor">系统</td>' in log


def test_what_django_says_itself_is_said_as_chinese_say_it(client, people):
    client.force_login(people.auditor)
    page = client.get(reverse("admin:accounts_auditevent_changelist"), headers={"accept-language": "zh-hans"}).text
    soup = BeautifulSoup(page, "html.parser")
    assert soup.select_one("#content h1").get_text(strip=True) == "审计记录"
    assert soup.select_one("#changelist-filter summary").get_text(strip=True).startswith("按")


def test_every_column_and_field_of_the_administration_has_a_chinese_name(rf, people):
    """A field without a name of its own is called by its English one."""
    request, untold = rf.get("/"), []
    with translation.override("zh-hans"):
        for user in (people.region_admin, people.system_admin, people.auditor):
            request.user = user
            for model, page in admin.site._registry.items():
                if not page.has_view_permission(request):
                    continue
                columns = page.get_list_display(request)
                named = {name if isinstance(name, str) else name.__name__: name for name in columns}
                told = {name: label_for_field(column, model, page) for name, column in named.items()}
                plain = {f.name: f.verbose_name for f in model._meta.fields}
                told |= {n: page.labels.get(n, plain[n]) for n in page.fields or () if n in plain}
                untold += [f"{model.__name__}.{n}" for n, said in told.items() if not re.search("[一-鿿]", str(said))]
    allowed = {
        "AuditBlock.id",
        "SmsOutbox.id",
        "PersonalAccount.id",
        "Wallet.id",
        "LedgerTransaction.id",
        "Enrolment.id",
    }
    allowed |= {"Payout.id", "AuditEvent.ip", "GatewayFile.sha256"}
    assert set(untold) <= allowed


def test_a_role_ends_with_its_last_day(people):
    client, url = log_in(people.system_admin), reverse("admin:accounts_user_change", args=[people.clerk.pk])
    role, today = {"role": Role.REGION_ADMIN, "region": people.region.pk}, clock.today()
    page = client.post(url, roles_form(people.clerk, **role, last_day=today - DAY), headers={"accept-language": "en"})
    assert page.status_code == 200 and "Choose today or a later day" in page.text
    assert client.post(url, roles_form(people.clerk, **role, last_day=today)).status_code == 302
    given = RoleAssignment.objects.get(user=people.clerk, role=Role.REGION_ADMIN)
    noted = AuditEvent.objects.get(action="grant_role", actor_id=people.system_admin.pk)
    assert given.last_day == today and noted.details["last_day"] == today.isoformat()

    def held() -> set[str]:
        return {one.role for one in roles_of(User.objects.get(pk=people.clerk.pk))}

    assert users.end_roles_over(at=now()) == 0 and held() == {"clerk", "region_admin"}
    with clock.standing(now() + DAY):
        assert held() == {"clerk"}
        tidy_accounts()
    given.refresh_from_db()
    assert given.ended_at
    ended = AuditEvent.objects.get(action="end_role")
    assert (ended.actor, ended.target) == ("system", f"user:{people.clerk.pk}")


def test_a_role_whose_last_day_is_over_can_be_given_again_at_once(people):
    client, url = log_in(people.system_admin), reverse("admin:accounts_user_change", args=[people.clerk.pk])
    role = {"role": Role.REGION_ADMIN, "region": people.region.pk}
    mine = RoleAssignment.objects.filter(user=people.clerk, role=Role.REGION_ADMIN)

    def expire() -> None:
        assert mine.filter(ended_at=None).update(last_day=clock.today() - DAY) == 1

    assert client.post(url, roles_form(people.clerk, **role, last_day=clock.today())).status_code == 302
    expire()
    assert client.get(url).context["inline_admin_formsets"][0].formset.initial_form_count() == 1
    assert client.post(url, roles_form(people.clerk, **role)).status_code == 302
    assert [one.last_day for one in mine.filter(ended_at=None)] == [None]
    expire()
    users.grant_role(user=people.clerk, role=Role.REGION_ADMIN, region=people.region, by=people.system_admin, at=now())
    assert mine.count() == 3
    assert AuditEvent.objects.filter(action="end_role", actor="system", target=f"user:{people.clerk.pk}").count() == 2


def test_the_login_of_staff_is_kept_in_the_readers_words_alone(people):
    """No way to do without a password, nothing of its digest, no English of Django's."""
    client, clerk = english(people.system_admin), people.clerk
    pages = {
        name: client.get(reverse(f"admin:{of}", args=args)).text
        for name, of, args in (
            ("add", "accounts_user_add", []),
            ("change", "accounts_user_change", [clerk.pk]),
            ("password", "auth_user_password_change", [clerk.pk]),
        )
    }
    for page in pages.values():
        assert "LDAP" not in page and 'name="usable_password"' not in page and "After you" not in page
    assert "staff at least 12" in pages["add"] and "staff at least 12" in pages["password"]
    assert "argon2" not in pages["change"] and "../password/" in pages["change"]
    new = "Linden-Blatt-2031"
    address = reverse("admin:auth_user_password_change", args=[clerk.pk])
    client.post(address, {"password1": new, "password2": new})
    clerk.refresh_from_db()
    assert clerk.check_password(new) and clerk.password_set_at is None
    assert client.post(address, {"password1": "", "password2": ""}).context["form"].errors


def test_the_code_of_an_institution_is_checked_where_it_is_written(people):
    client, address = english(people.region_admin), reverse("admin:accounts_institution_add")
    asked = fields(client.get(address)) | {"name": "新医院", "region": people.region.pk, "kind": "hospital"}
    told = {}
    for code in ("", "xx", people.institution.code):
        told[code] = client.post(address, asked | {"code": code}).context_data["adminform"].form.errors["code"]
    assert told == {
        "": ["Write the code of the institution"],
        "xx": ["H or P and eleven digits, such as H31010100001"],
        people.institution.code: ["This code is another institution's"],
    }
    assert client.post(address, asked | {"code": " h31010199999 "}).status_code == 302
    assert Institution.objects.filter(code="H31010199999", name="新医院").exists()
