"""The catalogue from a file: compared, released by a second person, all or nothing; searched by code and name."""

import datetime
import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from openpyxl import Workbook

from accounts import clock
from accounts.errors import Refused
from accounts.models import AuditEvent
from settlements import tasks
from settlements.actions import catalogue
from settlements.enums import FileState
from settlements.models import CatalogueFile, CatalogueItem
from settlements.queries.catalogue import catalogue_items, grams, search
from tests.people import make_staff
from tests.settlements.scene import region_of_file
from tests.support.refusals import refused

DAY = datetime.timedelta(days=1)
HEAD = "医保目录编码,名称,类别,先行自付比例,医保限价\n"
ROWS = "X1,阿莫西林胶囊,甲,,12.50\nX2,连花清瘟胶囊,乙,10,\nX3,牙齿美白,丙,,\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def tomorrow():
    return clock.today() + DAY


def upload(region, by, text, on, whole=False, name="目录.csv") -> CatalogueFile:
    content = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    file = catalogue.receive(region=region, valid_from=on, whole=whole, name=name, content=content, by=by)
    done = catalogue.read(file_id=file.pk)
    assert done is not None and catalogue.read(file_id=file.pk) is None
    return done


def brought_in(region, maker, checker, text, on, **more) -> CatalogueFile:
    file = upload(region, maker, text, on, **more)
    assert file.state == FileState.READY, list(file.faults.values())
    return apply(file, checker)


def apply(file, by) -> CatalogueFile:
    catalogue.release(file=file, by=by)
    done = catalogue.bring_in(file_id=file.pk)
    assert done is not None and catalogue.bring_in(file_id=file.pk) is None
    return done


def held(region, on) -> dict[str, tuple]:
    codes = set(CatalogueItem.objects.values_list("code", flat=True))
    return {
        code: (item.item_class, item.self_pay_percent, item.price_limit)
        for code, item in catalogue_items(region_id=region.pk, codes=codes, on=on).items()
    }


def test_new_changed_ended_unchanged(region, maker, checker, tomorrow) -> None:
    first = brought_in(region, maker, checker, HEAD + ROWS, datetime.date(2026, 1, 1))
    assert first.totals == {"rows": 3, "new": 3, "changed": 0, "unchanged": 0, "ended": 0}
    today = held(region, clock.today())
    assert today == {
        "X1": ("A", Decimal(0), Decimal("12.50")),
        "X2": ("B", Decimal(10), None),
        "X3": ("C", Decimal(100), None),
    }
    text = HEAD + "X1,阿莫西林胶囊,甲,0%,12.50\nX2,连花清瘟胶囊,乙,15,\nX4,针刺治疗,A,,\n"
    second = brought_in(region, maker, checker, text, tomorrow, whole=True)
    assert second.totals == {"rows": 3, "new": 1, "changed": 1, "unchanged": 1, "ended": 1}
    assert held(region, clock.today()) == today
    assert held(region, tomorrow) == {
        "X1": today["X1"],
        "X2": ("B", Decimal(15), None),
        "X4": ("A", Decimal(0), None),
    }
    acts = AuditEvent.objects.filter(action__startswith="catalogue.").values_list("action", flat=True)
    assert sorted(acts) == sorted([f"catalogue.{verb}" for verb in ("upload", "read", "release", "bring_in")] * 2)


def test_the_same_again_changes_nothing(region, maker, checker, tomorrow) -> None:
    brought_in(region, maker, checker, HEAD + ROWS, tomorrow)
    before = list(CatalogueItem.objects.order_by("pk").values())
    with pytest.raises(Refused, match="table_again"):
        upload(region, maker, HEAD + ROWS, tomorrow)
    again = brought_in(region, maker, checker, HEAD + ROWS + "\n", tomorrow, whole=True)
    assert again.totals == {"rows": 3, "new": 0, "changed": 0, "unchanged": 3, "ended": 0}
    assert list(CatalogueItem.objects.order_by("pk").values()) == before


def test_a_version_that_has_not_begun_is_put_right(region, maker, checker, tomorrow) -> None:
    brought_in(region, maker, checker, HEAD + ROWS, tomorrow)
    brought_in(region, maker, checker, HEAD + "X2,连花清瘟胶囊,乙,20,\n", tomorrow, whole=True)
    assert held(region, tomorrow) == {"X2": ("B", Decimal(20), None)}
    assert CatalogueItem.objects.count() == 1


def test_mistakes_are_told_by_line_and_column_and_nothing_is_kept(region, maker, tomorrow) -> None:
    text = HEAD + (
        "X1,好,甲,,\nX1,好,甲,,\n,无码,甲,,\nX4,无类,丁,,\nX5,缺比例,乙,,\nX6,小数,乙,0.1,\n"
        "X7,甲类有比例,甲,10,\nX8,太多,乙,101,\nX9,限价,甲,,0\nX10,限价,甲,,一元\nX11,=1+1,甲,,\n"
    )
    file = upload(region, maker, text, tomorrow)
    assert file.state == FileState.FAULTY and file.fault_count == 10
    found = [(fault.line, fault.code) for fault in file.faults.all()]
    assert found == [
        (3, "catalogue_twice"), (4, "cell_missing"), (5, "catalogue_class"), (6, "catalogue_percent_missing"),
        (7, "catalogue_percent_fraction"), (8, "catalogue_percent_class"), (9, "catalogue_percent"),
        (10, "catalogue_limit_zero"), (11, "amount_format"), (12, "cell_formula"),
    ]  # fmt: skip
    assert all(fault.column for fault in file.faults.all())
    assert not file.rows.exists() and not CatalogueItem.objects.exists()
    assert upload(region, maker, text.encode("gb18030"), tomorrow).fault_count == 10


def test_a_workbook_and_a_broken_file(region, maker, checker, tomorrow) -> None:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["Code", "Name", "Class", "Pre-self-pay, percent"])
    book.active.append(["X1", "阿莫西林胶囊", "B", 12.5])
    book.save(out)
    brought_in(region, maker, checker, out.getvalue(), tomorrow)
    assert held(region, tomorrow) == {"X1": ("B", Decimal("12.5"), None)}
    broken = upload(region, maker, b"PK broken", tomorrow)
    assert broken.state == FileState.FAULTY and broken.refused["code"] == "table_broken"


def test_refusals(region, maker, checker, tomorrow) -> None:
    elsewhere = make_staff("region_admin", region=region_of_file("110000"), name="章丙")
    refused("not_permitted", upload, region=region, by=elsewhere, text=HEAD + ROWS, on=tomorrow)
    refused("table_empty", upload, region=region, by=maker, text="", on=tomorrow)
    file = upload(region, maker, HEAD + ROWS, clock.today())
    refused("same_person", catalogue.release, file=file, by=maker)
    refused("not_permitted", catalogue.release, file=file, by=elsewhere)
    refused("not_permitted", catalogue.withdraw, file=file, by=elsewhere)
    brought_in(region, maker, checker, HEAD + "X1,别名,甲,,\n", tomorrow + 30 * DAY)
    # Something came in since it was compared, and the region's first catalogue is there: not under today any more.
    refused("catalogue_day_early", catalogue.release, file=file, by=checker)
    catalogue.withdraw(file=file, by=maker)
    refused("file_state", catalogue.release, file=file, by=checker)
    refused("catalogue_day_early", upload, region=region, by=maker, text=HEAD + ROWS, on=clock.today())
    late = upload(region, maker, HEAD + ROWS, tomorrow)
    assert [(fault.line, fault.code) for fault in late.faults.all()] == [(2, "catalogue_later")]


def test_what_was_brought_in_meanwhile_is_seen_before_release(region, maker, checker, tomorrow) -> None:
    waiting = upload(region, maker, HEAD + ROWS, tomorrow)
    brought_in(region, maker, checker, HEAD + "X1,阿莫西林胶囊,甲,,12.50\n", tomorrow)
    back = apply(waiting, checker)
    assert (back.state, back.released_by, back.released_at) == (FileState.READY, None, None)
    assert back.refused["code"] == "catalogue_moved"
    assert AuditEvent.objects.filter(action="catalogue.bring_in", details__refused="catalogue_moved").count() == 1
    waiting.refresh_from_db()
    assert waiting.totals == {"rows": 3, "new": 2, "changed": 0, "unchanged": 1, "ended": 0}
    assert len(held(region, tomorrow)) == 1
    done = apply(waiting, checker)
    assert done.state == FileState.RELEASED and done.refused == {} and len(held(region, tomorrow)) == 3


def test_released_is_not_yet_brought_in(region, maker, checker, tomorrow, monkeypatch) -> None:
    file = upload(region, maker, HEAD + ROWS, tomorrow)
    assert catalogue.bring_in(file_id=file.pk) is None
    at = clock.now()
    released = catalogue.release(file=file, by=checker, at=at)
    assert (released.state, released.released_by, released.released_at) == (FileState.RELEASING, checker, at)
    assert not CatalogueItem.objects.exists()
    assert AuditEvent.objects.get(action="catalogue.release").actor_id == checker.pk
    for do in (catalogue.release, catalogue.withdraw):
        with pytest.raises(Refused, match="file_state"):
            do(file=file, by=checker)
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogueFile.objects.filter(pk=file.pk).update(released_by=None)
    sweep(monkeypatch)
    file.refresh_from_db()
    assert (file.state, file.released_by, file.released_at) == (FileState.RELEASED, checker, at)
    assert len(held(region, tomorrow)) == 3


def test_a_day_that_came_meanwhile_brings_nothing_in(region, maker, checker, tomorrow) -> None:
    brought_in(region, maker, checker, HEAD + "Y1,别名,甲,,\n", clock.today())
    file = upload(region, maker, HEAD + ROWS, tomorrow)
    catalogue.release(file=file, by=checker)
    back = catalogue.bring_in(file_id=file.pk, at=clock.now() + DAY)
    assert back.state == FileState.READY and back.refused["code"] == "catalogue_day_early"
    assert set(held(region, tomorrow)) == {"Y1"}


def test_what_the_database_refuses_changes_nothing(region, maker, checker, tomorrow, monkeypatch) -> None:
    brought_in(region, maker, checker, HEAD + ROWS, tomorrow)
    before = list(CatalogueItem.objects.order_by("pk").values())
    file = upload(region, maker, HEAD + "X9,新,甲,,\nX2,连花清瘟胶囊,乙,20,\n", tomorrow + DAY)
    monkeypatch.setattr(catalogue, "END_CHANGED", "SELECT 1")
    back = apply(file, checker)
    assert back.state == FileState.READY and back.refused["code"] == "catalogue_overlaps"
    assert list(CatalogueItem.objects.order_by("pk").values()) == before
    monkeypatch.undo()
    assert apply(file, checker).state == FileState.RELEASED


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_it_to_the_next(region, maker, checker, tomorrow, monkeypatch) -> None:
    file = upload(region, maker, HEAD + ROWS, tomorrow)
    catalogue.release(file=file, by=checker)
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        assert catalogue.bring_in(file_id=file.pk).state == FileState.RELEASED
        assert other.submit(in_own_connection, catalogue.bring_in, file_id=file.pk).result() is None
        transaction.set_rollback(True)
    assert CatalogueFile.objects.get().state == FileState.RELEASING and not CatalogueItem.objects.exists()
    sweep(monkeypatch)
    assert CatalogueFile.objects.get().state == FileState.RELEASED and CatalogueItem.objects.count() == 3


def sweep(monkeypatch) -> None:
    """The bell, answered at once instead of by a worker."""
    monkeypatch.setattr(tasks.bring_in_catalogue, "delay", tasks.bring_in_catalogue)
    tasks.sweep_trials()


def in_own_connection(do, **more):
    try:
        return do(**more)
    finally:
        connection.close()


def test_the_database_refuses_two_versions_on_one_day(region, maker, checker, tomorrow) -> None:
    brought_in(region, maker, checker, HEAD + ROWS, tomorrow)
    values = {"region": region, "name": "x", "item_class": "A"}

    def fails(**more):
        with pytest.raises(IntegrityError), transaction.atomic():
            CatalogueItem.objects.create(**values, **more)

    fails(code="X1", valid_from=tomorrow + DAY)
    fails(code="N", valid_from=tomorrow, valid_to=tomorrow)
    CatalogueItem.objects.create(**values, code="X11", valid_from=tomorrow)
    CatalogueItem.objects.create(**values, code="X1", valid_from=tomorrow - DAY, valid_to=tomorrow)
    CatalogueItem.objects.create(**{**values, "region": region_of_file("110000")}, code="X1", valid_from=tomorrow)
    file = CatalogueFile.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogueFile.objects.filter(pk=file.pk).update(released_by=maker)


def test_search_by_code_and_name(region, maker, checker) -> None:
    on = clock.today()
    other = region_of_file("110000")
    brought_in(region, maker, checker, HEAD + ROWS + "Y1,维生素C片 VC,甲,,\n", on)
    CatalogueItem.objects.create(region=other, code="X9", name="阿莫西林", item_class="A", valid_from=on)

    def found(text):
        return [item.code for item in search(region_id=region.pk, text=text, on=on)]

    assert found("") == ["X1", "X2", "X3", "Y1"]
    assert found("x") == found("X") == ["X1", "X2", "X3"]
    assert found("西林") == found("阿莫西林胶囊") == ["X1"]
    assert found("胶囊") == ["X1", "X2"] and found("齿") == ["X3"]
    assert found("vc") == found("ＶＣ") == ["Y1"]
    assert found("林阿") == found("%") == found("_") == found("没有") == []
    assert [item.code for item in search(region_id=region.pk, text="x1", on=on - DAY)] == []


def test_the_index_and_the_search_cut_names_alike(db) -> None:
    for name in ("阿莫西林", "A", "Vitamin C 片"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT catalogue_grams('1', %s)", [name])
            (kept,) = cursor.fetchone()
        assert set(grams("1", name)) <= set(kept)
        assert set(kept) == {f"1 {name[at : at + wide].lower()}" for at in range(len(name)) for wide in (1, 2)}


@pytest.mark.parametrize(
    ("code", "since", "until", "stands"),
    [
        ("Z1", 10, 20, False),
        ("Z1", 0, 11, False),
        ("Z1", 19, None, False),
        ("Z1", 0, None, False),
        ("Z1", 12, 13, False),
        ("Z1", 0, 10, True),
        ("Z1", 20, None, True),
        ("Z2", 10, 20, True),
        ("Z2", 0, None, True),
    ],
)
def test_versions_of_a_code_may_touch_and_never_overlap(region, tomorrow, code, since, until, stands) -> None:
    def put(code: str, since: int, until: int | None) -> None:
        CatalogueItem.objects.create(
            region=region, code=code, name="某药", item_class="A", valid_from=tomorrow + since * DAY,
            valid_to=None if until is None else tomorrow + until * DAY,
        )  # fmt: skip

    put("Z1", 10, 20)
    try:
        with transaction.atomic():
            put(code, since, until)
        stood = True
    except IntegrityError as error:
        stood = False
        assert "catalogue_no_overlap" in str(error) or "catalogue_item_once" in str(error)
    assert stood is stands


def test_the_form_of_an_item_knows_the_rule_too(region, tomorrow) -> None:
    facts = {"region": region, "code": "Z1", "name": "某药", "item_class": "A", "self_pay_percent": 0}
    CatalogueItem.objects.create(**facts, valid_from=tomorrow)
    with pytest.raises(ValidationError, match="catalogue_no_overlap"):
        CatalogueItem(**facts, valid_from=tomorrow + DAY).full_clean()
    CatalogueItem(**{**facts, "code": "Z2"}, valid_from=tomorrow).full_clean()
