"""What administrators upload and draft: contributions, a catalogue, and a change of rules with its what-if."""

import datetime
import io

from django.utils import timezone

from accounts.models import Region, User
from portal.seeding import cast
from portal.seeding.cast import SHANGHAI
from portal.seeding.register import registered
from settlements.actions import catalogue, contributions, drafts, trials
from settlements.models import CatalogueItem, Scheme

DAY = datetime.timedelta(days=1)


def make(now: datetime.datetime) -> None:
    """All of it, as of a moment."""
    _uploads(now)
    _rules(now)


def _uploads(now: datetime.datetime) -> None:
    """Contributions with a wrong row, and right ones that wait to be released; a catalogue that waits to be released."""
    region, first = Region.objects.get(pk=SHANGHAI), User.objects.get(username="r0001")
    month = timezone.localdate(now).replace(day=1)
    people = [registered(who) for who in (cast.MEMBER, cast.WIFE, cast.BROTHER_IN_LAW)]
    rows = [f"{one.id_number},{one.name},{base}" for one, base in zip(people, (15200, 14800, 14800), strict=True)]
    wrong = [f"{people[0].id_number},沈家树,15200", rows[1], "31010419850312117,沈嘉树,-20"]
    for name, lines in (("2026-11-errors.csv", wrong), ("2026-11.csv", rows)):
        content = "\n".join(["身份证号,姓名,缴费基数", *lines]).encode()
        file = contributions.receive(
            region=region, month=month, name=name, content=io.BytesIO(content), by=first, at=now
        )
        contributions.read(file_id=file.pk, at=now)
    item = CatalogueItem.objects.filter(region=SHANGHAI).order_by("code").first()
    assert item is not None, "the catalogue is not there"
    lines = ["编码,名称,类别,自付比例", f"{item.code},{item.name},乙,10", "XA10BAZZ01,示例缓释片,甲,0"]
    listed = catalogue.receive(
        region=region, valid_from=timezone.localdate(now) + 10 * DAY, whole=False, name="catalogue.csv",
        content=io.BytesIO("\n".join(lines).encode()), by=first, at=now,
    )  # fmt: skip
    catalogue.read(file_id=listed.pk, at=now)


def _rules(now: datetime.datetime) -> None:
    """A draft by the first administrator with half the outpatient deductible, tried on the last bills: the second one may
    publish it."""
    first = User.objects.get(username="r0001")
    version = Scheme.objects.get(region=SHANGHAI, insurance="employee", kind="outpatient", valid_to=None)
    draft = drafts.make(version=version, by=first, at=now)
    text = draft.text.replace("500", "400", 1)
    draft = drafts.edit(draft=draft, text=text, by=first, at=now)
    trial = trials.start(draft=draft, by=first, at=now)
    while trials.work(trial_id=trial.pk, seconds=30) != trials.Stopped.STOPPED:
        pass
