"""What-if: a draft decides real bills as it would have settled them, and the unchanged version changes nothing."""

import datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts import clock
from accounts.errors import Refused
from accounts.models import AuditEvent
from family.models import SharingRules
from settlements import tasks
from settlements.actions import care, drafts, trials
from settlements.enums import TrialState
from settlements.models import Entry, RuleDraft, Settlement, Trial, TrialDrift, TrialPerson, Usage
from tests.people import make_staff
from tests.settlements.scene import bill, make_scene, region_of_file, share, undo
from tests.settlements.test_drafts import present
from tests.support.refusals import refused

DAY = datetime.timedelta(days=1)

pytestmark = pytest.mark.django_db

amounts = st.integers(1, 400_000).map(lambda fen: f"{fen // 100}.{fen % 100:02}")
bills = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.sampled_from(["father", "daughter"]),
            "in_scope": amounts,
            "pre_self_pay": amounts,
            "self_paid": amounts,
            "kind": st.sampled_from(["outpatient", "outpatient", "inpatient", "pharmacy"]),
            "days": st.integers(1, 300),
            "use_account": st.booleans(),
            "undo": st.booleans(),
        }
    ),
    min_size=1,
    max_size=6,
)
# What a draft changes: the part, and texts to be put in the place of others.
changes = st.sampled_from(
    [
        ("scheme", [('"500.00"', '"100.00"'), ('"300.00"', '"900.00"')]),
        ("scheme", [('value = "75"', 'value = "50"'), ('cap = "650000.00"', 'cap = "700.00"')]),
        ("scheme", [('["historical", "shared"]', '["shared", "historical"]')]),
        ("scheme", [("self_paid = []", 'self_paid = ["historical", "shared"]')]),
        ("scheme", [('accumulate_by = "service"', 'accumulate_by = "settlement"')]),
        ("sharing", [('keep = "0.00"', 'keep = "4000.00"')]),
    ]
)
slow = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def made(region, maker, part="scheme", puts=()) -> RuleDraft:
    base = present(region) if part == "scheme" else SharingRules.objects.get(region=region, valid_to=None)
    draft = drafts.make(version=base, by=maker)
    text = draft.text
    for found, put in puts:
        assert found in text
        text = text.replace(found, put)
    return drafts.edit(draft=draft, text=text, by=maker)


def settled(scene, rows) -> list[Settlement]:
    """In the order of the days, some of them undone at once, some after all."""
    found = []
    for row in sorted(rows, key=lambda row: row["days"]):
        on = scene.on + row["days"] * DAY
        more = {name: row[name] for name in ("in_scope", "pre_self_pay", "self_paid", "kind", "use_account")}
        found.append((bill(scene, getattr(scene, row["who"]), on=on, **more), row))
    for settlement, row in found:
        if row["undo"]:
            undo(scene, settlement, on=scene.on + 301 * DAY)
    return [settlement for settlement, row in found if not row["undo"]]


def sums(rows) -> dict[str, Decimal]:
    def of(*names):
        return sum((getattr(row, name) for row in rows for name in names), Decimal("0.00"))

    return {
        "fund": of("fund"),
        "supplement": of("supplement"),
        "own": of("own_current", "own_historical"),
        "family": of("shared"),
        "cash": of("cash"),
    }


def tried(draft, by, **more) -> Trial:
    trial = trials.start(draft=draft, by=by, **more)
    while trials.work_next(trial_id=trial.pk):
        pass
    trial.refresh_from_db()
    assert trial.state == TrialState.DONE
    return trial


def column(trial, at) -> dict[str, Decimal]:
    return {payer: Decimal(row[at]) for payer, row in trial.result["sums"].items()}


def in_a_world(do):
    """Undone afterwards, whatever it does."""
    with transaction.atomic():
        try:
            return do()
        finally:
            transaction.set_rollback(True)


@slow
@given(rows=bills, part=st.sampled_from(["scheme", "sharing"]))
def test_the_unchanged_version_changes_nothing(region, maker, rows, part) -> None:
    def play():
        standing = settled(make_scene(), rows)
        if not standing:
            with pytest.raises(Refused, match="trial_empty"):
                trials.start(draft=made(region, maker, part), by=maker)
            return
        trial = tried(made(region, maker, part), maker)
        assert trial.result["out"] == {"facts": 0, "unknown": 0}
        assert trial.result["bills"] == len(standing)
        assert column(trial, 0) == column(trial, 1) == sums(standing)
        patients = {one.patient_id for one in standing}
        assert trial.result["people"] == [0, len(patients), 0] and trial.result["worst"] == []

    in_a_world(play)


@slow
@given(rows=bills, change=changes)
@example(
    rows=[
        {"who": "father", "in_scope": "3000.00", "pre_self_pay": "1.00", "self_paid": "1.00", "kind": "outpatient",
         "days": 3, "use_account": True, "undo": False},
        {"who": "father", "in_scope": "3000.00", "pre_self_pay": "1.00", "self_paid": "1.00", "kind": "outpatient",
         "days": 5, "use_account": True, "undo": False},
    ],
    change=("scheme", [('"500.00"', '"900.00"')]),
)  # fmt: skip
def test_a_draft_decides_as_it_settles_once_published(region, maker, checker, rows, change) -> None:
    rows = [{**row, "undo": False} for row in rows]
    part, puts = change

    def under_the_draft():
        # The scene first: its opening balances are of days before.
        scene = make_scene()
        drafts.publish(draft=made(region, maker, part, puts), valid_from=scene.on + DAY, by=checker)
        return sums(settled(scene, rows))

    def as_what_if():
        settled(make_scene(), rows)
        trial = tried(made(region, maker, part, puts), maker)
        assert trial.result["out"] == {"facts": 0, "unknown": 0}
        return column(trial, 1)

    assert in_a_world(as_what_if) == in_a_world(under_the_draft)


def test_what_it_comes_to(maker) -> None:
    scene = make_scene()
    one = bill(scene, in_scope="800.00")
    two = bill(scene, scene.daughter, in_scope="5000.00")
    trial = tried(made(scene.region, maker, puts=[('"500.00"', '"600.00"'), ('value = "70"', 'value = "90"')]), maker)
    result = trial.result
    assert (trial.done, trial.total, result["bills"], result["by_draft"]) == (2, 2, 2, 2)
    assert result["people"] == [1, 0, 1] and sum(result["bars"]) == 2
    (worst,) = result["worst"]
    assert worst[0] == one.pk and Decimal(worst[2]) > Decimal(worst[1])
    assert result["groups"]["status"].keys() == {"active"} and result["groups"]["age"].keys() == {"60", "35"}
    assert result["groups"]["level"]["tertiary"][0] == 2
    people = {row.member_id: row for row in TrialPerson.objects.filter(trial=trial)}
    assert people[two.patient_id].paid == two.total - two.fund - two.supplement
    assert people[two.patient_id].paid_draft < people[two.patient_id].paid
    assert not TrialDrift.objects.exists()
    acts = AuditEvent.objects.filter(action__startswith="trial.").order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["trial.start", "trial.finish"]


def test_it_writes_nothing_but_itself(maker) -> None:
    scene = make_scene()
    bill(scene)

    def books():
        return [list(model.objects.values()) for model in (Entry, Usage, Settlement)]

    before = books()
    tried(made(scene.region, maker, puts=[('"500.00"', '"800.00"')]), maker)
    assert books() == before


def test_bills_of_other_versions_keep_their_rules(maker) -> None:
    scene = make_scene()
    bill(scene, kind="pharmacy")
    trial = tried(made(scene.region, maker, puts=[('"500.00"', '"800.00"')]), maker)
    assert (trial.result["bills"], trial.result["by_draft"]) == (1, 0)
    assert column(trial, 0) == column(trial, 1)


def late(scene) -> Settlement:
    """A bill of the scene's day, settled two days later."""
    asked = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("3000.00"), service_on=scene.on)
    patient = scene.father.member
    return care.settle(patient=patient, institution=scene.institution, bill=asked, on=scene.on + 2 * DAY, key="late")


def test_a_late_bill_has_the_sharing_rules_of_its_day_of_care(region, maker, checker) -> None:
    scene = make_scene()
    kept = made(region, maker, "sharing", [('keep = "0.00"', 'keep = "4900.00"')])
    drafts.publish(draft=kept, valid_from=scene.on + DAY, by=checker)
    assert late(scene).shared > Decimal("100.00")
    trial = tried(made(region, maker, "sharing", [('keep = "4900.00"', 'keep = "5000.00"')]), maker)
    assert trial.result["out"] == {"facts": 0, "unknown": 0}
    assert (trial.result["bills"], trial.result["by_draft"]) == (1, 0)


def test_a_draft_may_open_relatives_accounts_later_than_binding(region, maker) -> None:
    scene = make_scene()
    bill(scene, in_scope="3000.00")
    later = f"usable_from = {scene.on + DAY}"
    trial = tried(made(region, maker, "sharing", [('keep = "0.00"', f'keep = "0.00"\n{later}')]), maker)
    assert trial.result["by_draft"] == 1
    assert column(trial, 0)["family"] > 0 == column(trial, 1)["family"]
    bill(scene, in_scope="3000.00", on=scene.on + DAY)
    after = tried(made(region, maker, "sharing", [('keep = "0.00"', f'keep = "0.00"\n{later}')]), maker)
    assert after.result["by_draft"] == 2 and column(after, 1)["family"] > 0


def test_facts_that_changed_since_are_told_and_left_out(maker) -> None:
    scene = make_scene()
    bill(scene, in_scope="3000.00")
    scene.father.member.enrolments.update(personal_status="retired", retired_on=datetime.date(2018, 6, 1))
    trial = tried(made(scene.region, maker), maker)
    assert trial.result["out"] == {"facts": 1, "unknown": 0} and trial.result["bills"] == 0


def test_the_draft_that_does_not_know_is_told(maker) -> None:
    scene = make_scene()
    bill(scene, in_scope="3000.00")
    draft = made(scene.region, maker)
    text = draft.text.replace("accumulate_by", "known = false\naccumulate_by")
    lines = [line for line in text.splitlines() if line.split(" =")[0] in ("known", "source", "grade", "note")]
    draft = drafts.edit(draft=draft, text="[[scheme]]\n" + "\n".join(dict.fromkeys(lines[:4])), by=maker)
    assert tried(draft, maker).result["out"] == {"facts": 0, "unknown": 1}


def test_a_chosen_month_and_the_last(maker) -> None:
    scene = make_scene()
    first = bill(scene)
    later = (first.settled_on.replace(day=1) + 40 * DAY).replace(day=2)
    bill(scene, on=later)
    bill(scene, on=later + DAY)
    draft = made(scene.region, maker)
    assert tried(draft, maker, month=f"{later:%Y-%m}").total == 2
    assert tried(draft, maker, month=f"{first.settled_on:%Y-%m}").total == 1
    assert tried(draft, maker, last=2).total == 2


def test_chunks_pause_and_a_killed_worker(maker, monkeypatch) -> None:
    monkeypatch.setattr(trials, "CHUNK", 1)
    scene = make_scene()
    share(scene.father.member, scene.daughter.member, "child", scene.region, scene.on)
    rows = [bill(scene, who, in_scope="900.00") for who in (scene.father, scene.daughter) * 3]
    draft = made(scene.region, maker, puts=[('"500.00"', '"800.00"'), ('["historical", "shared"]', '["shared"]')])
    monkeypatch.setattr(trials, "CHUNK", 100)
    whole = tried(draft, maker).result
    monkeypatch.setattr(trials, "CHUNK", 1)
    trial = trials.start(draft=draft, by=maker)
    assert trials.work_next(trial_id=trial.pk)
    with pytest.raises(RuntimeError), transaction.atomic():
        trials.work_next(trial_id=trial.pk)
        raise RuntimeError("killed")
    trial.refresh_from_db()
    assert trial.done == 1
    trials.pause(trial=trial, by=maker)
    assert not trials.work_next(trial_id=trial.pk)
    trials.resume(trial=trial, by=maker)
    tasks.work_trial(trial.pk)
    trial.refresh_from_db()
    assert trial.state == TrialState.DONE and trial.done == len(rows) and trial.result == whole


def test_refusals(maker, checker, region) -> None:
    draft = made(region, maker)

    elsewhere = make_staff("region_admin", region=region_of_file("110000"), name="章丙")
    refused("trial_empty", trials.start, draft=draft, by=maker)
    refused("not_permitted", trials.start, draft=draft, by=elsewhere)
    bill(make_scene())
    trial = trials.start(draft=draft, by=checker)
    refused("trial_running", trials.start, draft=draft, by=maker)
    refused("not_permitted", trials.cancel, trial=trial, by=elsewhere)
    refused("trial_state", trials.resume, trial=trial, by=maker)
    trials.cancel(trial=trial, by=maker)
    refused("trial_state", trials.pause, trial=trial, by=maker)
    second = trials.start(draft=draft, by=maker)
    drafts.edit(draft=draft, text=draft.text.replace('"500.00"', '"800.00"'), by=maker)
    second.refresh_from_db()
    assert second.state == TrialState.CANCELLED
    drafts.discard(draft=draft, by=maker)
    refused("draft_state", trials.start, draft=draft, by=maker)
    assert clock.now() >= second.finished_at
