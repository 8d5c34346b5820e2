"""The pages of family sharing as a citizen meets them, from the first question to the end of a grant."""

import datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import clock, masks
from accounts.enums import IdentityLevel
from accounts.models import AuditEvent
from casework.models import Case, CaseEvent
from family.models import DeductionOrder, SharingApplication, SharingGrant
from family.queries import commitment_on
from settlements.actions.opening import open_account
from settlements.models import Usage
from settlements.queries.year import year_on
from tests.people import make_id_number, make_login, make_member
from tests.support.pages import fields, log_in
from tests.support.sharing import make_grant


@pytest.fixture(autouse=True)
def ready(rules):
    cache.clear()
    rules()


@pytest.fixture
def holder(people) -> Client:
    return log_in(people.holder)


@pytest.fixture
def spouse(people) -> Client:
    return log_in(people.spouse)


def who(member, relation="spouse", **more) -> dict:
    return {"name": member.name, "id_number": member.id_number, "relation": relation} | more


def send(client: Client, url: str, data: dict | None = None, **more):
    """Open the page and send its form with these answers over what it holds."""
    return client.post(url, fields(client.get(url)) | (data or {}), **more)


def begin(client: Client, member, relation="spouse", terms: dict | None = None) -> SharingApplication:
    """Who, dry run, for what: a draft."""
    assert send(client, reverse("family:bind"), who(member, relation)).status_code == 302
    send(client, reverse("family:bind_terms"), terms)
    return SharingApplication.objects.get()


def sign(client: Client, application: SharingApplication):
    return send(client, reverse("family:check", args=[application.case.public_id]), {"agree": "on"})


class TestBinding:
    def test_from_the_first_question_to_the_number(self, people, holder) -> None:
        terms = {"uses": "care", "limit": "2,000", "last_day_year": "", "last_day_month": "", "last_day_day": ""}
        application = begin(holder, people.spouse.member, terms=terms)
        assert (application.case.state, application.limit, application.uses_premium) == ("draft", Decimal(2000), False)

        page = holder.get(reverse("family:check", args=[application.case.public_id])).content.decode()
        assert "2,000.00" in page
        assert str(_("Not submitted")) in page
        assert people.spouse.member.name not in page
        assert people.spouse.member.id_number not in page

        response = sign(holder, application)
        application.refresh_from_db()
        assert response["Location"] == reverse("family:submitted", args=[application.case.public_id])
        assert (application.case.state, application.commitment) == ("consent", commitment_on(clock.today()))
        assert application.case.number in holder.get(response["Location"]).content.decode()

    def test_every_reason_is_told_before_any_paper(self, people, holder, rules) -> None:
        rules(relations=["child"], max_grantors=1)
        make_grant(make_member("高某山", sex="M"), people.spouse.member, "sibling")
        response = send(holder, reverse("family:bind"), who(people.spouse.member))
        assert response["Location"] == reverse("family:bind_result")
        page = BeautifulSoup(holder.get(response["Location"]).content, "html.parser")
        assert len(page.select(".portal-working > li")) == 2
        assert "高" not in page.get_text()
        assert not SharingApplication.objects.exists()
        assert holder.get(reverse("family:bind_terms")).status_code == 302

    def test_what_the_ages_say_against_the_relation_stands_at_it(self, people, holder) -> None:
        cache.clear()
        answer = send(holder, reverse("family:bind"), who(people.child, "parent"))
        assert answer.status_code == 422
        told = "按身份证号，这位亲属并不比本人年长，关系不可能是“父母”。请改选正确的关系，或者更正身份证号。"
        assert answer.context["form"].errors == {"relation": [told]}
        english = who(people.spouse.member, "child") | {"token": answer.context["form"]["token"].value()}
        page = holder.post(reverse("family:bind"), english, headers={"accept-language": "en"}).text
        assert "this relative is not the younger one of the two" in page
        assert AuditEvent.objects.filter(action="sharing_dry_run").count() == 2  # that it was asked is kept
        assert holder.get(reverse("family:bind_result")).status_code == 302
        assert send(holder, reverse("family:bind"), who(people.child, "child")).status_code == 302

    def test_a_wrong_name_and_an_unknown_number_are_one_answer(self, people, holder) -> None:
        member = people.spouse.member
        number = make_id_number(datetime.date(1977, 7, 7))
        answers = [
            send(holder, reverse("family:bind"), who(member, name="沈某")),
            send(holder, reverse("family:bind"), who(member, id_number=number)),
        ]
        assert [answer.status_code for answer in answers] == [422, 422]
        told = [
            BeautifulSoup(one.content, "html.parser").select_one(".govuk-error-summary").get_text() for one in answers
        ]
        assert told[0] == told[1]
        assert not AuditEvent.objects.filter(action="sharing_dry_run").exists()

    def test_nobody_can_try_names_and_numbers_for_long(self, people, holder, settings) -> None:
        settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"find_relative": "1/h/user"}
        send(holder, reverse("family:bind"), who(people.spouse.member, name="沈某"))
        response = send(holder, reverse("family:bind"), who(people.spouse.member))
        assert response.status_code == 422

    def test_going_back_keeps_the_answers_and_the_same_draft(self, people, holder) -> None:
        application = begin(holder, people.spouse.member, terms={"limit": "500"})
        assert fields(holder.get(reverse("family:bind")))["name"] == people.spouse.member.name
        assert fields(holder.get(reverse("family:bind_terms")))["limit"] == "500.00"
        send(holder, reverse("family:bind"), who(people.spouse.member))
        send(holder, reverse("family:bind_terms"), {"limit": "600"})
        application.refresh_from_db()
        assert (SharingApplication.objects.count(), application.limit) == (1, Decimal(600))

    def test_a_new_binding_for_the_same_relative_goes_on_with_the_draft(self, people, holder) -> None:
        application = begin(holder, people.spouse.member, terms={"limit": "500"})
        later = log_in(people.holder)
        response = send(later, reverse("family:bind"), who(people.spouse.member))
        assert BeautifulSoup(later.get(response["Location"]).content, "html.parser").select_one(".portal-said")
        assert fields(later.get(reverse("family:bind_terms")))["limit"] == "500.00"
        send(later, reverse("family:bind_terms"), {"limit": "600"})
        application.refresh_from_db()
        assert (SharingApplication.objects.count(), application.limit) == (1, Decimal(600))
        send(later, reverse("family:bind"), who(people.child, "child"))
        send(later, reverse("family:bind_terms"))
        assert SharingApplication.objects.count() == 2, "another relative is another application"

    def test_a_form_sent_again_does_nothing_twice(self, people, holder) -> None:
        send(holder, reverse("family:bind"), who(people.spouse.member))
        url = reverse("family:bind_terms")
        once = fields(holder.get(url))
        first, second = holder.post(url, once), holder.post(url, once)
        assert first["Location"] == second["Location"]
        application = SharingApplication.objects.get()

        url = reverse("family:check", args=[application.case.public_id])
        once = fields(holder.get(url)) | {"agree": "on"}
        first, second = holder.post(url, once), holder.post(url, once)
        assert first["Location"] == second["Location"] == reverse("family:submitted", args=[application.case.public_id])
        assert CaseEvent.objects.filter(verb="submit").count() == 1

    def test_a_form_without_its_token_is_not_taken(self, people, holder) -> None:
        response = holder.post(reverse("family:bind"), who(people.spouse.member))
        assert response.status_code == 400
        assert not AuditEvent.objects.filter(action="sharing_dry_run").exists()

    def test_without_the_tick_nothing_is_signed(self, people, holder) -> None:
        application = begin(holder, people.spouse.member)
        response = send(holder, reverse("family:check", args=[application.case.public_id]))
        assert response.status_code == 422
        application.refresh_from_db()
        assert application.case.state == "draft"

    def test_kept_for_later_it_is_a_draft_that_says_so(self, people, holder) -> None:
        application = begin(holder, people.spouse.member)
        url = reverse("family:check", args=[application.case.public_id])
        response = holder.post(url, fields(holder.get(url)) | {"later": "1"})
        assert response["Location"] == reverse("family:application", args=[application.case.public_id])
        assert (
            reverse("family:check", args=[application.case.public_id])
            in holder.get(response["Location"]).content.decode()
        )
        assert SharingGrant.objects.count() == 0

    def test_a_page_read_too_early_is_told_so_and_not_signed(self, people, holder) -> None:
        application = begin(holder, people.spouse.member)
        url = reverse("family:check", args=[application.case.public_id])
        old = fields(holder.get(url)) | {"agree": "on"}
        Case.objects.filter(pk=application.case_id).update(version=7)
        assert holder.post(url, old).status_code == 422
        assert fields(holder.get(url))["version"] == "7"

    def test_who_is_not_verified_is_first_led_to_prove_himself(self, people) -> None:
        client = log_in(make_login(make_member("高某", sex="M"), level=IdentityLevel.REGISTERED))
        response = client.get(reverse("family:bind"))
        assert response["Location"] == reverse("accounts:prove_identity")

    def test_a_proof_too_old_is_asked_for_again_before_signing(self, people) -> None:
        client = log_in(people.holder)
        application = begin(client, people.spouse.member)
        url = reverse("family:check", args=[application.case.public_id])
        data = fields(client.get(url)) | {"agree": "on"}
        stale = log_in(people.holder, fresh=False)
        assert stale.post(url, data)["Location"].startswith("/prove/")
        application.refresh_from_db()
        assert application.case.state == "draft"


@pytest.fixture
def asked(people, holder) -> SharingApplication:
    """The holder asks the spouse."""
    application = begin(holder, people.spouse.member, terms={"limit": "2000"})
    sign(holder, application)
    application.refresh_from_db()
    return application


class TestAnswering:
    def test_the_relative_agrees(self, people, asked, spouse) -> None:
        url = reverse("family:invitation", args=[asked.case.public_id])
        assert url in spouse.get(reverse("family:home")).content.decode()
        assert "2,000.00" in spouse.get(url).content.decode()
        response = send(spouse, url, {"answer": "agree"})
        assert response["Location"] == reverse("family:home")
        grant = SharingGrant.objects.get()
        assert (grant.grantor, grant.beneficiary) == (people.holder.member, people.spouse.member)

    def test_what_stands_against_it_today_is_said_before_the_answer(self, asked, spouse, rules) -> None:
        url = reverse("family:invitation", args=[asked.case.public_id])
        assert spouse.get(url).context["problem"] is None
        brother = make_member("方某远", datetime.date(1980, 1, 1), sex="M")
        make_grant(brother, asked.beneficiary, "sibling")
        rules(max_grantors=1)
        page = spouse.get(url)
        assert page.status_code == 200 and "1 个" in page.text

    def test_the_relative_declines(self, asked, spouse) -> None:
        send(spouse, reverse("family:invitation", args=[asked.case.public_id]), {"answer": "decline"})
        asked.case.refresh_from_db()
        assert asked.case.state == "refused"
        assert not SharingGrant.objects.exists()

    def test_the_same_answer_sent_again_is_one_answer(self, asked, spouse) -> None:
        url = reverse("family:invitation", args=[asked.case.public_id])
        once = fields(spouse.get(url)) | {"answer": "agree"}
        assert spouse.post(url, once)["Location"] == spouse.post(url, once)["Location"] == reverse("family:home")
        assert SharingGrant.objects.count() == 1

    def test_an_offer_changed_meanwhile_is_not_agreed_to_unseen(self, asked, spouse, holder) -> None:
        url = reverse("family:invitation", args=[asked.case.public_id])
        old = fields(spouse.get(url)) | {"answer": "agree"}
        send(holder, reverse("family:amend", args=[asked.case.public_id]), {"limit": "1"})
        response = spouse.post(url, old, follow=True)
        assert response.status_code == 200
        asked.case.refresh_from_db()
        assert asked.case.state == "returned"

    def test_the_grantor_cannot_answer_for_the_relative(self, asked, holder) -> None:
        assert holder.get(reverse("family:invitation", args=[asked.case.public_id])).status_code == 404

    def test_withdrawn_before_the_answer(self, asked, holder, spouse) -> None:
        send(holder, reverse("family:withdraw", args=[asked.case.public_id]))
        asked.case.refresh_from_db()
        assert asked.case.state == "withdrawn"
        assert spouse.get(reverse("family:invitation", args=[asked.case.public_id])).status_code == 302

    def test_taken_back_changed_and_signed_anew(self, asked, holder) -> None:
        response = send(holder, reverse("family:amend", args=[asked.case.public_id]), {"limit": "900"})
        assert response["Location"] == reverse("family:check", args=[asked.case.public_id])
        sign(holder, asked)
        asked.refresh_from_db()
        assert (asked.case.state, asked.limit) == ("consent", Decimal(900))
        line = AuditEvent.objects.get(action="sharing_amended")
        assert (line.details["before"]["limit"], line.details["after"]["limit"]) == ("2000.00", "900.00")

    def test_not_changed_to_what_the_ages_do_not_allow(self, asked, holder) -> None:
        answer = send(holder, reverse("family:amend", args=[asked.case.public_id]), {"relation": "child"})
        assert answer.status_code == 422 and list(answer.context["form"].errors) == ["relation"]
        asked.refresh_from_db()
        assert (asked.case.state, asked.relation) == ("consent", "spouse")


PAGES = [
    "family:application",
    "family:check",
    "family:submitted",
    "family:amend",
    "family:withdraw",
    "family:invitation",
]
GRANT_PAGES = ["family:grant", "family:adjust", "family:pause", "family:end"]


class TestStrangers:
    @pytest.mark.parametrize("name", PAGES)
    def test_an_application_of_others_does_not_exist(self, people, asked, name) -> None:
        url = reverse(name, args=[asked.case.public_id])
        stranger = log_in(people.stranger)
        assert (stranger.get(url).status_code, stranger.post(url, {"token": "x" * 20}).status_code) in [
            (404, 404),
            (404, 405),
        ]
        assert log_in(people.clerk).get(url).status_code == 404

    @pytest.mark.parametrize("name", GRANT_PAGES)
    def test_a_grant_of_others_does_not_exist(self, people, name) -> None:
        grant = make_grant(people.holder.member, people.spouse.member)
        url = reverse(name, args=[grant.public_id])
        assert log_in(people.stranger).get(url).status_code == 404
        assert log_in(people.supervisor).get(url).status_code == 404

    @pytest.mark.parametrize("name", ["family:adjust", "family:pause"])
    def test_terms_are_the_grantors_affair(self, people, spouse, name) -> None:
        grant = make_grant(people.holder.member, people.spouse.member)
        assert spouse.get(reverse(name, args=[grant.public_id])).status_code == 404

    def test_looking_changes_nothing(self, people, asked, holder, spouse) -> None:
        grant = make_grant(people.holder.member, people.child, "child")
        before = state_of_everything()
        for client in (holder, spouse):
            for name in [*PAGES, *GRANT_PAGES]:
                args = [grant.public_id if name in GRANT_PAGES else asked.case.public_id]
                client.get(reverse(name, args=args))
            for name in ("home", "bind", "bind_result", "bind_terms", "order"):
                client.get(reverse(f"family:{name}"))
        assert state_of_everything() == before


def state_of_everything() -> list:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Case, SharingApplication, SharingGrant, DeductionOrder)
    ]


class TestGrants:
    @pytest.fixture
    def grant(self, people) -> SharingGrant:
        return make_grant(people.holder.member, people.spouse.member, limit=Decimal(1000))

    def test_a_new_limit(self, grant, holder) -> None:
        send(holder, reverse("family:adjust", args=[grant.public_id]), {"limit": "750.5"})
        grant.refresh_from_db()
        assert grant.limit == Decimal("750.50")

    def test_paused_and_taken_up_again(self, grant, holder) -> None:
        url = reverse("family:pause", args=[grant.public_id])
        send(holder, url, {"do": "pause"})
        grant.refresh_from_db()
        assert grant.paused_at is not None
        send(holder, url, {"do": "resume"})
        grant.refresh_from_db()
        assert grant.paused_at is None

    def test_ended_by_either_side_and_once(self, grant, spouse) -> None:
        url = reverse("family:end", args=[grant.public_id])
        once = fields(spouse.get(url))
        assert spouse.post(url, once)["Location"] == spouse.post(url, once)["Location"] == reverse("family:home")
        grant.refresh_from_db()
        assert (grant.ends_on, grant.end_reason) == (clock.today(), "beneficiary")
        assert spouse.get(reverse("family:grant", args=[grant.public_id])).status_code == 200

    @pytest.mark.parametrize("name", ["end", "adjust", "pause"])
    def test_whoever_comes_back_after_the_end_is_led_to_where_it_says_so(self, grant, holder, name) -> None:
        send(holder, reverse("family:end", args=[grant.public_id]))
        response = holder.get(reverse(f"family:{name}", args=[grant.public_id]))
        assert response["Location"] == reverse("family:grant", args=[grant.public_id])
        assert "已结束" in holder.get(response["Location"]).text

    def test_what_was_used_of_an_ended_grant_stays_used(self, grant, holder) -> None:
        year = year_on(grant.region_id, clock.today())
        Usage.objects.create(
            member=grant.beneficiary, benefit_year=year.number, counter=f"grant:{grant.pk}", amount=Decimal("120.50")
        )
        open_account(member=grant.grantor, region_id=grant.region_id, on=clock.today(), historical=Decimal(9))
        send(holder, reverse("family:end", args=[grant.public_id]))
        page = BeautifulSoup(holder.get(reverse("family:home")).content, "html.parser")
        assert page.select_one(".portal-money--hero").get_text() == "120.50元"

    def test_not_before_its_time(self, grant, holder, rules) -> None:
        rules(unbind_min_months=3)
        response = send(holder, reverse("family:end", args=[grant.public_id]), follow=True)
        grant.refresh_from_db()
        assert grant.ends_on is None
        assert BeautifulSoup(response.content, "html.parser").select_one(".portal-notice--bad")


class TestOrder:
    @pytest.fixture
    def grants(self, people) -> list[SharingGrant]:
        """Wife, brother and son share with the spouse."""
        brother = make_member("方某远", datetime.date(1980, 1, 1), sex="M")
        son = make_member("方某航", datetime.date(2001, 1, 1), sex="M")
        pairs = [(people.holder.member, "spouse"), (brother, "sibling"), (son, "parent")]
        return [make_grant(member, people.spouse.member, relation) for member, relation in pairs]

    def press(self, client, grant, move="", version="0", **more):
        data = {"id": str(grant.public_id), "version": version} | ({"move": move} if move else {})
        return client.post(reverse("family:order"), data | more.pop("data", {}), **more)

    def ids(self, people) -> list[int]:
        return DeductionOrder.objects.get(pk=people.spouse.member_id).grant_ids

    @pytest.mark.parametrize(
        ("move", "place"), [("up", [0, 2, 1]), ("top", [2, 0, 1]), ("down", [0, 1, 2]), ("bottom", [0, 1, 2])]
    )
    def test_the_buttons_work_without_script(self, people, grants, spouse, move, place) -> None:
        response = self.press(spouse, grants[2], move)
        assert response["Location"] == reverse("family:order")
        assert self.ids(people) == [grants[n].pk for n in place]

    def test_a_drop_is_a_position(self, people, grants, spouse) -> None:
        self.press(spouse, grants[0], data={"position": "2"})
        assert self.ids(people) == [grants[n].pk for n in (1, 0, 2)]

    def test_the_swapped_part_is_what_the_fresh_page_shows(self, people, grants, spouse) -> None:
        part = self.press(spouse, grants[2], "top", headers={"HX-Request": "true"})
        swapped = BeautifulSoup(part.content, "html.parser").select_one("#order")
        fresh = BeautifulSoup(spouse.get(reverse("family:order")).content, "html.parser").select_one("#order")
        assert swapped["data-announce"]
        names = [[p.get_text() for p in soup.select(".portal-order .portal-people__name")] for soup in (swapped, fresh)]
        assert names[0] == names[1] and len(names[0]) == 3
        assert (
            swapped.select_one("input[name=version]")["value"]
            == fresh.select_one("input[name=version]")["value"]
            == "1"
        )

    def test_a_list_that_somebody_else_changed_is_shown_anew(self, people, grants, spouse) -> None:
        self.press(spouse, grants[2], "top")
        response = self.press(spouse, grants[1], "top", headers={"HX-Request": "true"})
        soup = BeautifulSoup(response.content, "html.parser")
        assert response.status_code == 422
        assert soup.select_one(".portal-notice--bad")
        assert soup.select_one("input[name=version]")["value"] == "1"
        assert self.ids(people)[0] == grants[2].pk

    @pytest.mark.parametrize("data", [{}, {"move": "sideways"}, {"id": "nonsense", "move": "up"}, {"position": "0"}])
    def test_nonsense_changes_nothing(self, people, grants, spouse, data) -> None:
        assert self.press(spouse, grants[0], data=data).status_code == 422
        assert not DeductionOrder.objects.exists()

    def test_anothers_grant_cannot_be_moved(self, people, grants, spouse) -> None:
        foreign = make_grant(people.spouse.member, people.child, "child")
        assert self.press(spouse, foreign, "up").status_code == 422

    @pytest.mark.parametrize("strategy", ["single", "last_bound", "largest_balance"])
    def test_a_fixed_order_is_shown_without_buttons(self, people, grants, spouse, rules, strategy) -> None:
        rules(order=strategy, order_adjustable=False)
        soup = BeautifulSoup(spouse.get(reverse("family:order")).content, "html.parser")
        assert len(soup.select(".portal-order > li")) == 3
        assert not soup.select(".portal-order button")
        assert "改顺序" not in soup.get_text()

    def test_what_was_filed_before_the_order_was_fixed_still_holds_and_is_said(
        self, people, grants, spouse, rules
    ) -> None:
        last = grants[2]
        self.press(spouse, last, "top")
        rules(order="filed", order_adjustable=False)
        soup = BeautifulSoup(spouse.get(reverse("family:order")).content, "html.parser")
        assert masks.mask_name(last.grantor.name) in soup.select_one(".portal-order > li").get_text()
        assert "以前调整过的照旧" in soup.select_one("#order").get_text()
        assert self.press(spouse, grants[0], "down").status_code == 422
