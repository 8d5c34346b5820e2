"""Drafts of rules: made and edited by one person, published by another, kept for good, and carried into the file."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction

from accounts import clock
from accounts.errors import Refused
from accounts.models import AuditEvent
from family.models import SharingRules
from settlements.actions import drafts, regions
from settlements.domain.region_file import BadRegionFile, load_region_text
from settlements.enums import DraftState
from settlements.models import RuleDraft, Scheme
from tests.people import make_staff
from tests.settlements.scene import bill, make_scene, region_of_file

DAY = datetime.timedelta(days=1)

pytestmark = pytest.mark.django_db


def present(region) -> Scheme:
    return Scheme.objects.get(region=region, insurance="employee", kind="outpatient", valid_to=None)


def cheaper(draft: RuleDraft) -> str:
    assert draft.text.count('"500.00"') == 1
    return draft.text.replace('"500.00"', '"400.00"')


def drafted(region, maker) -> RuleDraft:
    draft = drafts.make(version=present(region), by=maker)
    return drafts.edit(draft=draft, text=cheaper(draft), by=maker)


def acts() -> list[str]:
    return list(AuditEvent.objects.filter(action__startswith="rules.").order_by("pk").values_list("action", flat=True))


def test_drafted_by_one_and_published_by_another(region, maker, checker) -> None:
    old = present(region)
    draft = drafted(region, maker)
    assert draft.data != old.data and present(region) == old
    day = clock.today() + DAY
    version = drafts.publish(draft=draft, valid_from=day, by=checker)
    old.refresh_from_db()
    draft.refresh_from_db()
    assert (old.valid_to, version.valid_from, version.valid_to, version.data) == (day, day, None, draft.data)
    assert (draft.state, draft.published_scheme, draft.published_by) == (DraftState.PUBLISHED, version, checker)
    assert acts() == ["rules.draft", "rules.edit", "rules.publish"]


def test_sharing_rules_are_drafted_the_same_way(region, maker, checker) -> None:
    old = SharingRules.objects.get(region=region, valid_to=None)
    draft = drafts.make(version=old, by=maker)
    draft = drafts.edit(draft=draft, text=draft.text.replace('keep = "0.00"', 'keep = "100.00"'), by=maker)
    version = drafts.publish(draft=draft, valid_from=clock.today() + DAY, by=checker)
    assert version.data == {**old.data, "keep": "100.00"}


def test_refusals(region, maker, checker) -> None:
    draft = drafts.make(version=present(region), by=maker)
    tomorrow = clock.today() + DAY

    def refused(code, do, **more):
        with pytest.raises(Refused) as caught, transaction.atomic():
            do(draft=draft, **more)
        assert caught.value.code == code

    elsewhere = make_staff("region_admin", region=region_of_file("110000"), name="章丙")
    refused("not_permitted", drafts.publish, valid_from=tomorrow, by=elsewhere)
    refused("not_permitted", drafts.edit, text=draft.text, by=elsewhere)
    refused("not_permitted", drafts.discard, by=elsewhere)
    refused("draft_same", drafts.publish, valid_from=tomorrow, by=checker)
    refused("draft_of_another", drafts.edit, text=cheaper(draft), by=checker)
    seen = draft.edited_at
    draft = drafts.edit(draft=draft, text=cheaper(draft), by=maker)
    refused("draft_changed", drafts.publish, valid_from=tomorrow, by=checker, seen=seen)
    refused("same_person", drafts.publish, valid_from=tomorrow, by=maker)
    refused("draft_day_early", drafts.publish, valid_from=clock.today(), by=checker)
    other = drafted(region, maker)
    drafts.publish(draft=other, valid_from=tomorrow, by=checker)
    refused("draft_version_ended", drafts.publish, valid_from=tomorrow + DAY, by=checker)
    refused("draft_reason_missing", drafts.discard, by=checker, reason=" ")
    draft = drafts.discard(draft=draft, by=checker, reason="与省里的通知不符")
    assert (draft.discarded_by, draft.discard_reason) == (checker, "与省里的通知不符")
    refused("draft_state", drafts.publish, valid_from=tomorrow, by=checker)
    refused("draft_state", drafts.edit, text=draft.text, by=maker)
    with pytest.raises(Refused, match="draft_version_ended"):
        drafts.make(version=other.base.__class__.objects.get(pk=other.base.pk), by=maker)


def test_not_under_days_that_were_settled(maker, checker) -> None:
    scene = make_scene()
    bill(scene)
    later = scene.on + 5 * DAY
    bill(scene, on=later)
    draft = drafted(scene.region, maker)
    with pytest.raises(Refused) as caught:
        drafts.publish(draft=draft, valid_from=scene.on + DAY, by=checker)
    assert caught.value.code == "draft_day_settled"
    assert caught.value.params["earliest_on"] == (later + DAY).isoformat()
    drafts.publish(draft=draft, valid_from=later + DAY, by=checker)


@pytest.mark.parametrize(
    ("found", "put", "line", "key"),
    [
        ('scope = "year"', 'scope = "moon"', 15, "scheme[1].stage[2].scope"),
        ('counter = "fund"', 'counter = "funds"', 26, "scheme[1].stage[3].counter"),
        ('grade = "A"', 'grade = "A"\nvalid_from = 2030-01-01', 6, "scheme[1].valid_from"),
        ('grade = "A"', "grade = = 1", 5, "TOML:"),
        ("[[scheme]]", "x = " + "[" * 5000, 1, "TOML:"),
    ],
)
def test_a_mistake_names_line_and_key_and_nothing_is_kept(region, maker, found, put, line, key) -> None:
    draft = drafts.make(version=present(region), by=maker)
    assert draft.text.count(found) == 1
    with pytest.raises(BadRegionFile) as caught:
        drafts.edit(draft=draft, text=draft.text.replace(found, put), by=maker)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
    text = draft.text
    draft.refresh_from_db()
    assert draft.text == text


def test_the_database_holds_two_people_and_what_was_published(region, maker, checker) -> None:
    draft = drafted(region, maker)
    version = drafts.publish(draft=draft, valid_from=clock.today() + DAY, by=checker)

    def fails(kind, do):
        with pytest.raises(kind), transaction.atomic():
            do()

    one = drafted_of(version, maker)
    fails(IntegrityError, lambda: RuleDraft.objects.filter(pk=one.pk).update(published_by=maker))
    for change in ({"state": "draft"}, {"text": "x"}, {"valid_from": clock.today()}):
        fails(DatabaseError, lambda change=change: RuleDraft.objects.filter(pk=draft.pk).update(**change))
    fails(DatabaseError, lambda: RuleDraft.objects.filter(pk=draft.pk).delete())
    versions = Scheme.objects.filter(pk=version.pk)
    for change in ({"data": {}}, {"valid_from": clock.today() + 9 * DAY}, {"kind": "inpatient"}):
        fails(DatabaseError, lambda change=change: versions.update(**change))
    fails(DatabaseError, lambda: versions._raw_delete("default"))
    end = version.valid_from + 9 * DAY
    assert versions.update(valid_to=end) == 1
    fails(DatabaseError, lambda: versions.update(valid_to=None))
    fails(DatabaseError, lambda: versions.update(valid_to=end + DAY))
    # What a file brought stays a matter of the file.
    assert Scheme.objects.filter(kind="pharmacy", region=region).update(valid_to=end)


def drafted_of(version, by) -> RuleDraft:
    return drafts.make(version=version, by=by)


class TestFile:
    """File and administration: one way only."""

    @pytest.fixture
    def path(self, tmp_path):
        source = next(path for path in regions.region_files() if path.stem == "310000")
        copy = tmp_path / "310000.toml"
        copy.write_bytes(source.read_bytes())
        return copy

    @pytest.fixture
    def published(self, region, maker, checker):
        day = clock.today() + DAY
        first = drafts.publish(draft=drafted(region, maker), valid_from=day, by=checker)
        second = drafts.make(version=first, by=maker)
        second = drafts.edit(draft=second, text=second.text.replace('"400.00"', '"300.00"'), by=maker)
        drafts.publish(draft=second, valid_from=day + 31 * DAY, by=checker)
        rules = drafts.make(version=SharingRules.objects.get(region=region, valid_to=None), by=maker)
        rules = drafts.edit(draft=rules, text=rules.text.replace('keep = "0.00"', 'keep = "9.00"'), by=maker)
        drafts.publish(draft=rules, valid_from=day, by=checker)
        return second

    def test_an_older_file_does_not_undo_what_was_published(self, published, path) -> None:
        path.write_text(path.read_text(encoding="utf-8") + "\n# touched\n", encoding="utf-8")
        with pytest.raises(CommandError, match=r"published in the administration.*export_region 310000"):
            call_command("load_regions", path)
        assert Scheme.objects.get(draft=published).valid_to is None

    def test_exported_it_is_read_back_unchanged(self, published, path, capsys) -> None:
        before = path.read_text(encoding="utf-8")
        call_command("export_region", "310000", "--file", path)
        after = path.read_text(encoding="utf-8")
        assert regions.load([path]) == ["310000: changed (Shanghai)"]
        assert "written" in capsys.readouterr().out
        call_command("export_region", "310000", "--file", path)
        assert path.read_text(encoding="utf-8") == after and "nothing was missing" in capsys.readouterr().out
        old, new = load_region_text(before, "old"), load_region_text(after, "new")
        assert len(new.schemes) == len(old.schemes) + 2 and len(new.sharing) == len(old.sharing) + 1
        assert (new.years, new.premiums, new.credits) == (old.years, old.premiums, old.credits)
        kept = [line for line in before.splitlines() if line.startswith("#")]
        assert [line for line in after.splitlines() if line.startswith("#")] == kept

    def test_a_file_that_says_something_else_is_not_written(self, published, path) -> None:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('cap = "610000.00"', 'cap = "610001.00"', 1), encoding="utf-8")
        before = path.read_text(encoding="utf-8")
        with pytest.raises(CommandError, match="scheme employee outpatient 2023-07-01 differs"):
            call_command("export_region", "310000", "--file", path)
        assert path.read_text(encoding="utf-8") == before
        with pytest.raises(CommandError, match="not of 110000"):
            call_command("export_region", "110000", "--file", path)
