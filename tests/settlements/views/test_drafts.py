"""The administration's pages of drafts: from the version to the what-if and to the publishing by a second person."""

import datetime

import pytest
from django.urls import reverse

from accounts import clock
from accounts.masks import mask_name
from settlements.actions import drafts, trials
from settlements.enums import DraftState, TrialState
from settlements.models import RuleDraft
from tests.people import PASSWORD, make_staff
from tests.settlements.rollover.test_pages import at_last, enter, look
from tests.settlements.scene import bill, make_scene, region_of_file
from tests.settlements.test_drafts import present

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def url(name: str, *args: object) -> str:
    return reverse(f"admin:settlements_ruledraft_{name}", args=args)


def changed(draft: RuleDraft) -> str:
    return draft.text.replace('"500.00"', '"800.00"')


def test_from_version_to_publishing(client, region, maker, checker) -> None:
    enter(client, maker)
    answer = client.post(url("add"), {"version": f"scheme-{present(region).pk}"})
    draft = RuleDraft.objects.get()
    assert answer.url == url("edit", draft.pk)
    assert "[[scheme.stage]]" in client.get(answer.url).text
    assert client.post(url("edit", draft.pk), {"text": changed(draft)}).url == url("change", draft.pk)
    page = client.get(url("change", draft.pk)).text
    assert "<del>− " in page and "<ins>+ " in page and "800.00" in page
    assert url("publish", draft.pk) not in page
    enter(client, checker)
    page = client.get(url("change", draft.pk)).text
    assert url("edit", draft.pk) not in page
    assert look(client, url("edit", draft.pk)).status_code == 404
    form = client.get(url("publish", draft.pk), headers={"accept-language": "en"})
    assert "Nobody has tried it on real bills yet." in form.text
    day = clock.today() + DAY
    data = {"seen": form.context["form"].initial["seen"]}
    early = client.post(url("publish", draft.pk), {**data, "valid_from": clock.today().isoformat()})
    assert early.status_code == 422
    assert client.post(url("publish", draft.pk), {**data, "valid_from": "soon"}).status_code == 422
    done = client.post(url("publish", draft.pk), {**data, "valid_from": day.isoformat()})
    assert done.url == url("change", draft.pk)
    assert present(region).valid_from == day
    assert "export_region" in client.get(done.url).text
    for name in ("publish", "discard", "edit", "whatif"):
        assert look(client, url(name, draft.pk)).url == url("change", draft.pk)
    assert client.post(url("publish", draft.pk), data).url == url("change", draft.pk)


def test_what_was_edited_meanwhile_is_shown_and_can_then_be_published(client, region, maker, checker) -> None:
    draft = drafts.make(version=present(region), by=maker)
    draft = drafts.edit(draft=draft, text=changed(draft), by=maker)
    enter(client, checker)
    opened = client.get(url("publish", draft.pk)).context["form"].initial["seen"]
    drafts.edit(draft=draft, text=draft.text.replace('"800.00"', '"900.00"'), by=maker)
    day = (clock.today() + DAY).isoformat()
    refused = client.post(url("publish", draft.pk), {"seen": opened, "valid_from": day})
    assert refused.status_code == 422 and "900.00" in refused.text
    form = refused.context["form"]
    again = {name: form[name].value() for name in form.fields}
    assert client.post(url("publish", draft.pk), again).url == url("change", draft.pk)


def test_a_mistake_stands_at_the_text_and_what_was_typed_stays(client, region, maker) -> None:
    enter(client, maker)
    draft = drafts.make(version=present(region), by=maker)
    text = draft.text.replace('scope = "year"', 'scope = "moon"')
    answer = client.post(url("edit", draft.pk), {"text": text})
    assert answer.status_code == 422
    assert "15" in answer.context["form"].errors["text"][0]
    assert "scheme[1].stage[2].scope" in answer.text and "moon" in answer.text
    draft.refresh_from_db()
    assert "moon" not in draft.text
    assert client.post(url("edit", draft.pk), {"text": ""}).status_code == 422


def test_what_is_no_toml_is_told_in_the_reader_s_language_with_line_and_column(client, region, maker) -> None:
    enter(client, maker)
    draft = drafts.make(version=present(region), by=maker)
    text = draft.text.replace('scope = "year"', "scope = “year”")
    told = client.post(url("edit", draft.pk), {"text": text}).context["form"].errors["text"]
    assert told == [
        "第 15 行，第 9 列：这里不是一个值。文字、金额和百分比写在英文引号里，"
        "整数和日期（2026-01-31）不加引号，是或否写 true 或 false。"
    ]
    answer = client.post(url("edit", draft.pk), {"text": text}, headers={"accept-language": "en"})
    assert "Line 15, column 9: Here stands no value." in answer.text


def test_what_if_on_the_page(client, maker, checker) -> None:
    scene = make_scene()
    settlement = bill(scene, in_scope="3000.00")
    enter(client, maker)
    draft = drafts.make(version=present(scene.region), by=maker)
    draft = drafts.edit(draft=draft, text=changed(draft), by=maker)
    assert client.get(url("whatif", draft.pk)).status_code == 200
    assert client.post(url("whatif", draft.pk), {"over": "all"}).status_code == 422
    empty = f"{clock.today() - 400 * DAY:%Y-%m}"
    assert client.post(url("whatif", draft.pk), {"over": empty}).status_code == 422
    assert client.post(url("whatif", draft.pk), {"over": "500"}).url == url("change", draft.pk)
    trial = draft.trials.get()
    assert client.get(url("part", draft.pk)).status_code == 200
    client.post(url("act", draft.pk, "pause"))
    trial.refresh_from_db()
    assert trial.state == TrialState.PAUSED
    assert client.post(url("act", draft.pk, "pause")).status_code == 422
    client.post(url("act", draft.pk, "resume"))
    while trials.work_next(trial_id=trial.pk):
        pass
    assert client.get(url("part", draft.pk)).status_code == 286
    page = client.get(url("change", draft.pk)).text
    assert settlement.number in page and mask_name(scene.father.member.name) in page
    assert scene.father.member.name not in page
    assert "<svg" in page and page.count("<rect") >= 11
    # Whoever publishes sees what it came to beside the button.
    enter(client, make_staff("region_admin", region=scene.region))
    page = client.get(url("publish", draft.pk), headers={"accept-language": "en"})
    assert page.context["sums"] and "What the last what-if came to" in page.text
    assert "it shows the earlier text" not in page.text
    enter(client, maker)
    drafts.edit(draft=draft, text=changed(draft).replace('"800.00"', '"900.00"'), by=maker)
    client.post(url("whatif", draft.pk), {"over": f"{clock.today():%Y-%m}"})
    trials.cancel(trial=draft.trials.first(), by=maker)
    earlier = client.get(url("change", draft.pk), {"trial": trial.pk})
    assert earlier.context["outdated"] and earlier.context["trial"] == trial
    assert client.get(url("change", draft.pk), {"trial": "x"}).context["trial"] == draft.trials.first()


def test_whoever_made_a_draft_reads_who_discarded_it_and_why(client, region, maker, checker) -> None:
    draft = drafts.make(version=present(region), by=maker)
    enter(client, checker)
    assert client.post(url("discard", draft.pk), {"reason": ""}).status_code == 422
    assert client.post(url("discard", draft.pk), {"reason": "与省里的通知不符"}).url == url("change", draft.pk)
    enter(client, maker)
    page = client.get(url("change", draft.pk)).text
    assert "与省里的通知不符" in page and checker.display_name in page


def test_discard_asks_first(client, region, maker) -> None:
    enter(client, maker)
    draft = drafts.make(version=present(region), by=maker)
    assert client.get(url("discard", draft.pk)).status_code == 200
    draft.refresh_from_db()
    assert draft.state == DraftState.DRAFT
    client.post(url("discard", draft.pk))
    draft.refresh_from_db()
    assert draft.state == DraftState.DISCARDED
    assert client.get(url("change", draft.pk)).status_code == 200


def test_another_region_and_an_auditor(client, region, maker) -> None:
    draft = drafts.make(version=present(region), by=maker)
    elsewhere = make_staff("region_admin", region=region_of_file("110000"), name="章丙")
    enter(client, elsewhere)
    for name in ("change", "part", "edit", "whatif", "publish", "discard"):
        assert look(client, url(name, draft.pk)).status_code == 404
    assert at_last(client, client.post(url("act", draft.pk, "pause"))).status_code == 404
    auditor = make_staff("auditor", name="丁审")
    client.force_login(auditor)
    client.post("/prove/", {"password": PASSWORD})
    page = look(client, url("change", draft.pk))
    assert page.status_code == 200 and url("discard", draft.pk) not in page.text
    for name in ("edit", "whatif", "publish", "discard"):
        assert look(client, url(name, draft.pk)).status_code == 404
