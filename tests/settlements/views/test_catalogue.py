"""Pages of the catalogue: searched by members and clerks in their region, brought in by administrators."""

import datetime
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts import clock
from accounts.reasons import tell
from settlements.actions import catalogue
from settlements.enums import FileState
from settlements.models import CatalogueFile, CatalogueItem
from settlements.payability import pays_on
from tests.people import make_staff
from tests.settlements.rollover.test_pages import at_last, enter, look
from tests.settlements.scene import make_scene, region_of_file
from tests.settlements.test_catalogue_files import HEAD, ROWS

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def items(region) -> None:
    since = clock.today() - 400 * DAY
    for code, name, item_class, percent, limit in [
        ("X1", "阿莫西林胶囊", "A", "0", "12.50"),
        ("X2", "连花清瘟胶囊", "B", "10", None),
        ("X3", "牙齿美白", "C", "100", None),
    ]:
        CatalogueItem.objects.create(
            region=region, code=code, name=name, item_class=item_class, self_pay_percent=Decimal(percent),
            price_limit=limit and Decimal(limit), valid_from=since,
        )  # fmt: skip


def answers(page, code) -> tuple[str, str]:
    (row,) = [row for row in page.context["rows"] if row["item"].code == code]
    return row["own"], row["family"]


class TestSearch:
    def test_a_member_sees_what_accounts_may_pay_in_his_region(self, client) -> None:
        scene = make_scene()
        items(scene.region)
        items(region_of_file("110000"))
        client.force_login(scene.father)
        url = reverse("settlements:catalogue")
        page = client.get(url)
        assert page.status_code == 200 and page.context["page_obj"].paginator.count == 3
        assert len(set(answers(page, "X1"))) == 1
        assert answers(page, "X1")[0] != answers(page, "X2")[0] != answers(page, "X3")[0]
        assert "12.50" in page.text and "10%" in page.text
        found = client.get(url, {"text": "胶囊", "kind": "pharmacy"}, headers={"HX-Request": "true"})
        assert [row["item"].code for row in found.context["rows"]] == ["X1", "X2"]
        assert "<html" not in found.text
        none = client.get(url, {"text": "<b>没有", "kind": "outpatient"})
        assert none.context["rows"] == [] and "<b>没有" not in none.text and "&lt;b&gt;没有" in none.text
        wrong = client.get(url, {"text": "x", "kind": "zoo"})
        assert wrong.status_code == 422 and wrong.context["form"].errors["kind"]

    def test_pages_are_turned_and_nobody_insured_is_told(self, client) -> None:
        scene = make_scene()
        since = clock.today()
        CatalogueItem.objects.bulk_create(
            CatalogueItem(region=scene.region, code=f"Z{n:03}", name=f"片{n}", item_class="A", valid_from=since)
            for n in range(45)
        )
        client.force_login(scene.father)
        url = reverse("settlements:catalogue")
        last = client.get(url, {"text": "Z", "kind": "outpatient", "page": "3"})
        assert len(last.context["rows"]) == 5 and "page=2" in last.text
        scene.father.member.enrolments.update(valid_to=since)
        assert client.get(url).context["region"] is None

    def test_a_clerk_searches_where_he_serves(self, client) -> None:
        region = region_of_file()
        items(region)
        client.force_login(make_staff("clerk", region=region, name="柜员甲"))
        url = reverse("counter:catalogue")
        assert client.get(url, {"text": "x2", "kind": "outpatient"}).context["page_obj"].paginator.count == 1
        assert client.get(url, {"region": region_of_file("110000").pk}).status_code == 404

    def test_what_is_not_known_is_not_said(self) -> None:
        region = region_of_file()
        assert pays_on(region.pk, "resident", "inpatient", clock.today()) is None
        pays = pays_on(region.pk, "employee", "outpatient", clock.today())
        assert pays is not None and (pays.own, pays.family) == ({"in_scope"}, {"in_scope"})


class TestFiles:
    @pytest.fixture
    def region(self):
        return region_of_file()

    @pytest.fixture
    def maker(self, region):
        return make_staff("region_admin", region=region, name="章甲")

    def url(self, name, *args) -> str:
        return reverse(f"admin:settlements_cataloguefile_{name}", args=args)

    def send(self, client, region, text, **more):
        content = io.BytesIO(text.encode())
        content.name = "目录.csv"
        day = (clock.today() + DAY).isoformat()
        return client.post(self.url("add"), {"region": region.pk, "valid_from": day, "file": content, **more})

    def test_uploaded_read_and_released_by_another(self, client, region, maker) -> None:
        items(region)
        enter(client, maker)
        assert "医保目录编码" in client.get(self.url("template")).text
        answer = self.send(client, region, HEAD + ROWS.replace(",10,", ",30,"), whole="on")
        file = CatalogueFile.objects.get()
        assert answer.url == self.url("change", file.pk)
        assert client.get(self.url("part", file.pk)).status_code == 200
        catalogue.read(file_id=file.pk)
        assert client.get(self.url("part", file.pk)).status_code == 286
        page = client.get(self.url("change", file.pk))
        assert "10%" in page.text and "30%" in page.text and self.url("act", file.pk, "release") not in page.text
        assert client.post(self.url("act", file.pk, "release")).status_code == 422
        enter(client, make_staff("region_admin", region=region, name="章乙"))
        assert client.get(self.url("act", file.pk, "release")).status_code == 200
        assert client.post(self.url("act", file.pk, "release")).url == self.url("change", file.pk)
        file.refresh_from_db()
        assert file.state == FileState.RELEASING
        waits = client.get(self.url("change", file.pk))
        assert 'http-equiv="refresh"' in waits.text and "章乙" in waits.text
        assert self.url("act", file.pk, "withdraw") not in waits.text
        polled = client.get(self.url("part", file.pk), headers={"HX-Request": "true"})
        assert polled.status_code == 200 and "hx-trigger" in polled.text
        catalogue.bring_in(file_id=file.pk)
        assert client.get(self.url("part", file.pk)).status_code == 286
        file.refresh_from_db()
        assert file.state == FileState.RELEASED
        assert self.send(client, region, HEAD + ROWS.replace(",10,", ",30,")).status_code == 422

    def test_what_was_not_brought_in_is_told_and_released_again(self, client, region, maker) -> None:
        items(region)
        enter(client, maker)
        self.send(client, region, HEAD + ROWS.replace(",10,", ",30,"))
        file = catalogue.read(file_id=CatalogueFile.objects.get().pk)
        enter(client, make_staff("region_admin", region=region, name="章乙"))
        client.post(self.url("act", file.pk, "release"))
        CatalogueItem.objects.filter(region=region, code="X1").update(name="改了名")
        assert catalogue.bring_in(file_id=file.pk).state == FileState.READY
        page = client.get(self.url("change", file.pk))
        assert str(tell("catalogue_moved", {}).reason) in page.text
        client.post(self.url("act", file.pk, "release"))
        assert catalogue.bring_in(file_id=file.pk).state == FileState.RELEASED
        page = client.get(self.url("change", file.pk))
        assert page.context["refused"] is None and CatalogueItem.objects.filter(code="X2").count() == 2

    def test_mistakes_on_the_page_and_as_a_file(self, client, region, maker) -> None:
        enter(client, maker)
        self.send(client, region, HEAD + "X1,好,丁,,\n")
        file = catalogue.read(file_id=CatalogueFile.objects.get().pk)
        page = client.get(self.url("change", file.pk))
        assert [fault["at"].line for fault in page.context["faults"]] == [2]
        assert client.get(self.url("mistakes", file.pk)).text.count("\n") == 2
        assert client.post(self.url("add"), {"region": ""}).status_code == 422

    def test_another_region_and_an_auditor(self, client, region, maker) -> None:
        enter(client, maker)
        self.send(client, region, HEAD + ROWS)
        file = catalogue.read(file_id=CatalogueFile.objects.get().pk)
        enter(client, make_staff("region_admin", region=region_of_file("110000"), name="章丙"))
        for name in ("change", "part", "mistakes"):
            assert look(client, self.url(name, file.pk)).status_code == 404
        assert at_last(client, client.post(self.url("act", file.pk, "release"))).status_code == 404
        enter(client, make_staff("auditor", name="丁审"))
        assert look(client, self.url("change", file.pk)).status_code == 200
        assert look(client, self.url("act", file.pk, "withdraw")).status_code == 404
