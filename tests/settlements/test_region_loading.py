"""Region files into the database: checked first, all or nothing, repeatable; and a region that no code knows."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import clock
from accounts.models import BenefitYear, Institution, Region
from family.models import SharingRules
from settlements.actions import care, regions
from settlements.cases.playing import differences, play
from settlements.cases.reading import read_cases
from settlements.models import CreditRule, Scheme
from tests import people
from tests.support.ledger import open_account

ROOT = Path(__file__).resolve().parents[2]
SHENYANG = ROOT / "regions" / "210100.toml"

pytestmark = pytest.mark.django_db


def loaded(tmp_path: Path, text: str, name: str = "210100.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def rows() -> list[int]:
    return [model.objects.count() for model in (Region, BenefitYear, Scheme, SharingRules, CreditRule)]


def test_a_second_load_changes_nothing() -> None:
    assert regions.load(regions.region_files())
    before = rows()
    assert regions.load(regions.region_files()) == []
    assert rows() == before


def test_a_new_version_is_added_and_told(tmp_path: Path) -> None:
    text = SHENYANG.read_text(encoding="utf-8")
    regions.load([loaded(tmp_path, text)])
    changed = text.replace("valid_from = 2024-12-09", "valid_from = 2024-12-10").replace(
        "valid_to = 2024-12-09", "valid_to = 2024-12-10"
    )
    assert changed != text
    lines = regions.load([loaded(tmp_path, changed)])
    assert "210100: SharingRules 2024-12-09 removed" in lines
    assert "210100: SharingRules 2024-12-10 added" in lines
    assert "210100: SharingRules 2024-01-01 changed" in lines


@pytest.mark.parametrize(
    ("found", "put", "complaint"),
    [
        ("valid_from = 2024-01-01", 'valid_from = "soon"', "valid_from"),
        ('grade = "A"', 'grade = "Z"', "grade"),
        ('order = "single"', 'order = "loudest"', "order"),
        ('kind = "deductible"', 'kind = "tax"', "kind"),
        ('every = "month"', 'every = "month"\nweather = "fine"', "weather"),
    ],
)
def test_a_mistake_names_file_key_and_line_and_nothing_is_loaded(
    tmp_path: Path, found: str, put: str, complaint: str
) -> None:
    text = SHENYANG.read_text(encoding="utf-8")
    assert found in text
    line = text[: text.index(found)].count("\n") + put.count("\n") + 1
    bad = loaded(tmp_path, text.replace(found, put, 1))
    with pytest.raises(CommandError) as caught:
        # The good file comes first, and is not loaded either.
        call_command("load_regions", ROOT / "regions" / "310000.toml", bad)
    assert re.search(rf"210100\.toml, line {line}: .*{complaint}", str(caught.value))
    assert rows() == [0, 0, 0, 0, 0]


def test_a_file_that_is_no_toml_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"210100\.toml, line 2"):
        call_command("load_regions", loaded(tmp_path, 'code = "210100"\nname = = 1\n'))


def test_a_version_that_settled_bills_keeps_its_figures(tmp_path: Path) -> None:
    text = SHENYANG.read_text(encoding="utf-8")
    regions.load([loaded(tmp_path, text)])
    region = Region.objects.get()
    patient = people.make_member("甲", datetime.date(1985, 1, 1), region=region)
    hospital = Institution.objects.create(code="H1", name="H1", region=region, kind="hospital", level="tertiary")
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("1000.00"))
    care.settle(patient=patient, institution=hospital, bill=bill, on=datetime.date(2025, 9, 10), key="1")
    with pytest.raises(regions.SchemeInUse, match="210100: scheme employee outpatient 2024-01-01 has settled bills"):
        regions.load([loaded(tmp_path, text.replace('value = "400.00"', 'value = "401.00"'))])


def test_remarks_within_a_version_that_settled_bills_may_be_corrected(tmp_path: Path) -> None:
    """Beijing's stages have notes of their own: a correction of one would else keep the whole update from being loaded."""
    text = (ROOT / "regions" / "110000.toml").read_text(encoding="utf-8")
    regions.load([loaded(tmp_path, text, "110000.toml")])
    region = Region.objects.get()
    patient = people.make_member("甲", datetime.date(1985, 1, 1), region=region)
    hospital = Institution.objects.create(code="H1", name="H1", region=region, kind="hospital", level="tertiary")
    bill = care.Bill(kind="outpatient", level="tertiary", in_scope=Decimal("1000.00"))
    care.settle(patient=patient, institution=hospital, bill=bill, on=datetime.date(2025, 9, 10), key="1")
    (scheme,) = Scheme.objects.filter(settlement__isnull=False)
    noted = [stage for stage in scheme.data["stage"] if "note" in stage]
    assert noted
    said = noted[0]["note"]["en"]
    assert text.count(said) == 1
    assert regions.load([loaded(tmp_path, text.replace(said, "Something else."), "110000.toml")])
    scheme.refresh_from_db()
    assert "Something else." in [stage["note"]["en"] for stage in scheme.data["stage"] if "note" in stage]


def ended(text: str, day: str) -> str:
    """The outpatient scheme of Shenyang, ended on a day."""
    start = 'kind = "outpatient"\nvalid_from = 2024-01-01\n'
    assert text.count(start) == 1
    return text.replace(start, f"{start}valid_to = {day}\n")


def test_a_version_is_not_ended_before_the_care_it_settled(tmp_path: Path) -> None:
    text = SHENYANG.read_text(encoding="utf-8")
    regions.load([loaded(tmp_path, text)])
    region = Region.objects.get()
    patient = people.make_member("甲", datetime.date(1985, 1, 1), region=region)
    hospital = Institution.objects.create(code="H1", name="H1", region=region, kind="hospital", level="tertiary")
    bill = care.Bill(
        kind="outpatient", level="tertiary", in_scope=Decimal("1000.00"), service_on=datetime.date(2025, 9, 8)
    )
    care.settle(patient=patient, institution=hospital, bill=bill, on=datetime.date(2025, 9, 10), key="1")
    scheme = Scheme.objects.get(insurance="employee", kind="outpatient")
    for day in ("2025-09-08", "2025-01-01"):
        with pytest.raises(CommandError, match=f"employee outpatient 2024-01-01 would end on {day}.*up to 2025-09-08"):
            call_command("load_regions", loaded(tmp_path, ended(text, day)))
        scheme.refresh_from_db()
        assert scheme.valid_to is None
    regions.load([loaded(tmp_path, ended(text, "2025-09-09"))])
    scheme.refresh_from_db()
    assert scheme.valid_to == datetime.date(2025, 9, 9)


class TestBegunYears:
    """Shenyang's years begin on 1 January; its file gives them another day, from one year on."""

    @pytest.fixture(autouse=True)
    def today(self, monkeypatch):
        monkeypatch.setattr(clock, "today", lambda: datetime.date(2026, 3, 1))

    @pytest.fixture
    def text(self, tmp_path: Path) -> str:
        text = SHENYANG.read_text(encoding="utf-8")
        regions.load([loaded(tmp_path, text)])
        return text

    @pytest.fixture
    def account(self, text: str) -> None:
        region = Region.objects.get()
        open_account(people.make_member(region=region), region, 2026)

    def moved(self, text: str, first_year: int, month: int, day: int) -> str:
        """The rule from a year on, written before the file's crediting."""
        rule = (
            f'[[benefit_year]]\nfirst_year = {first_year}\nmonth = {month}\nday = {day}\nsource = "t"\ngrade = "A"\n\n'
        )
        assert text.count("[[credit]]") == 1
        return text.replace("[[credit]]", f"{rule}[[credit]]")

    def years(self) -> dict[int, datetime.date]:
        return dict(BenefitYear.objects.values_list("year", "starts_on"))

    @pytest.mark.parametrize(
        ("rule", "complaint"),
        [
            ((2026, 7, 1), "210100: benefit year 2026 began on 2026-01-01 and would begin on 2026-07-01"),
            ((2020, 7, 1), "210100: benefit year 2020 began on 2020-01-01 and would begin on 2020-07-01"),
            ((2026, 2, 1), "benefit year 2026 .* give the new first day to a year that has not begun"),
        ],
    )
    def test_none_is_moved_under_accounts(self, tmp_path, text, account, rule, complaint) -> None:
        before = self.years()
        with pytest.raises(CommandError, match=complaint):
            call_command("load_regions", loaded(tmp_path, self.moved(text, *rule)))
        assert self.years() == before

    def test_none_is_removed_under_accounts(self, tmp_path, text, account) -> None:
        later = text.replace("first_year = 2001", "first_year = 2010")
        with pytest.raises(regions.YearInUse, match="benefit year 2001 began on 2001-01-01 and would be removed"):
            regions.load([loaded(tmp_path, later)])
        assert min(self.years()) == 2001

    def test_nor_made_to_have_begun_already(self, tmp_path, text, account, monkeypatch) -> None:
        regions.load([loaded(tmp_path, self.moved(text, 2026 + 1, 7, 1))])
        monkeypatch.setattr(clock, "today", lambda: datetime.date(2027, 3, 1))
        with pytest.raises(regions.YearInUse, match="benefit year 2027 .* would begin on 2027-01-01"):
            regions.load([loaded(tmp_path, text)])

    def test_years_to_come_may_move(self, tmp_path, text, account) -> None:
        lines = regions.load([loaded(tmp_path, self.moved(text, 2027, 7, 1))])
        assert "210100: benefit years 2027 to 2100" in lines
        assert self.years()[2027] == datetime.date(2027, 7, 1)

    def test_without_accounts_all_may_move(self, tmp_path, text) -> None:
        regions.load([loaded(tmp_path, self.moved(text, 2020, 7, 1))])
        assert self.years()[2026] == datetime.date(2026, 7, 1)


CASES = ROOT / "tests" / "cases" / "mixtures"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_other_mixtures_are_files_alone(path: Path) -> None:
    """An invented region is one TOML file and no code."""
    regions.load([ROOT / "tests" / "regions" / f"{path.stem}.toml"])
    cases = read_cases(path)
    assert cases
    for case in cases:
        given, balances = play(case)
        assert differences(case, given, balances) == [], case.id
