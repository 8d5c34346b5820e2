"""What programs of institutions do that were written against other insurers, each read in one of them or in the text."""

import json
import time
from decimal import Decimal
from hashlib import sha256
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.crypto import blind_index
from gateway import client, paths
from gateway.client import PATH, envelope
from gateway.domain import json_text
from gateway.forms.staff import SettingsForm
from gateway.models import GatewayMessage, InstitutionSettings
from gateway.queries.people import psn_no
from tests.gateway.stays import admit, bill, fee, leaving
from tests.gateway.test_pharmacy import drug, purchase
from tests.gateway.world import DRUG, LUXURY, World, bill_input, credential, line, make_hospital, visit_input
from tests.people import make_member

SAMPLE = {
    "insuplc_admdvs": "100000", "mdtrtarea_admvs": "100000", "recer_sys_code": "MBS_LOCAL", "dev_no": "",
    "dev_safe_info": "", "cainfo": "", "infver": "V1.0", "opter_type": "1", "opter": "01", "opter_name": "张三",
    "inf_time": "2020-01-04 12:35:39", "fixmedins_name": "第一人民医院", "sign_no": "79faf82271944fe38c4f1d99be71bc9c",
}  # fmt: skip


def code(answer: dict) -> str:
    return "" if answer["infcode"] == 0 else answer["err_msg"].rpartition("[")[2].rstrip("]")


def look_up(world: World, **changed) -> dict:
    return envelope("1101", {"data": credential(world.patient)}, world.hospital.institution.code) | changed


@pytest.mark.parametrize(
    "path",
    [
        f"{PATH}/",
        f"{PATH}/1101/",
        f"{PATH}/1.0.0/hsa-fsi-1101",
        PATH.lower(),
        "/fsi/api/callFsiService/callService",
        "/fsi/api/fsiPsnInfoService/queryPsnInfo/",
        "/FSI/API/FSIPSNINFOSERVICE/QUERYPSNINFO",
        # As other regions' gateways have them, which their programs have built in.
        "/ebus/gdyb_api/prd/hsa/hgs/1101",
        "/ebus/rio_fsi/fsi/api/fsiPsnInfoService/queryPsnInfo",
        "/uif-hsaf-med-api/api/medical/service",
        "/CSB",
        "/hss-call-service-interface",
        "/mbs/fmi/fsi/api/callFsiService/callService",
        "/1.0.0/hsa-fsi-1101",
        # A base that ends in a slash, put before a path that begins with one.
        "/fsi/api//fsiPsnInfoService/queryPsnInfo",
        "/ebus//gdyb_api/prd/hsa/hgs/1101",
    ],
)
def test_addresses_as_programs_put_them_together(world: World, path: str) -> None:
    assert code(world.hospital.post(json.dumps(look_up(world)).encode(), path=path).json()) == ""


def test_a_base_that_is_nothing_but_a_slash() -> None:
    """The test client would take what stands behind two slashes for a host."""
    assert (paths.ours(f"/{PATH}"), paths.ours("//ebus/rio_fsi//fsi/api/a/b")) == (PATH, "/fsi/api/a/b")
    assert paths.ours("//accounts/login/") is None


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/fsi/api/", "path_unknown"),
        ("/fsi/api/queryPsnInfo", "path_unknown"),
        ("/fsi/api/fsiPsnInfoService/queryPsnInfo/1101", "path_unknown"),
        ("/fsi/api/a/b/c/d", "path_unknown"),
        (f"{PATH}/1.0.0/hsa-fsi-2207", "infno_mismatch"),
        ("/ebus/gdyb_api/prd/hsa/hgs/2207", "infno_mismatch"),
        ("/mbs/fmi/fsi/api/nowhere", "path_unknown"),
    ],
)
def test_a_wrong_address_is_told_by_the_interface_and_not_by_a_page(world: World, path: str, refused: str) -> None:
    response = world.hospital.post(json.dumps(look_up(world)).encode(), path=path)
    assert (response.status_code, code(response.json())) == (200, refused)


@pytest.mark.parametrize("method", ["get", "put", "options"])
@pytest.mark.parametrize("path", [PATH, "/fsi/api/fsiPsnInfoService/queryPsnInfo", "/fsi/api/nowhere"])
def test_a_probe_is_told_to_post(db, method: str, path: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Allow"], code(response.json())) == (405, "POST", "post_only")
    assert Client().head(path).content == b""


def test_headers_as_older_gateways_call_them(world: World) -> None:
    headers = client.signed_headers(world.hospital.key_id, world.hospital.secret)
    renamed = {name.replace("x-tif-", "X-RIO-"): value for name, value in headers.items()}
    assert code(world.hospital.post(json.dumps(look_up(world)).encode(), renamed).json()) == ""


def test_input_in_capitals_like_the_rest(world: World) -> None:
    sent = {name.upper(): value for name, value in look_up(world).items()}
    assert code(world.hospital.post(json.dumps(sent).encode()).json()) == ""


def test_the_sample_of_the_text_has_no_credential_but_the_id_number(world: World) -> None:
    who = {"psn_cert_type": "2", "certno": world.patient.id_number, "psn_name": world.patient.name}
    given = {"data": who | {"begntime": "2020-01-01"}}
    called = world.hospital.call
    assert code(called("1101", given, **SAMPLE | {"insuplc_admdvs": "310000"})) == ""
    assert code(called("1101", {"data": who | {"psn_name": "别人"}})) == "person_unknown"
    assert code(called("1101", {"data": who | {"mdtrt_cert_type": "02", "mdtrt_cert_no": ""}})) == ""
    # A card or a token that was not read is not made good by a number.
    for other in ("01", "03"):
        answer = called("1101", {"data": who | {"mdtrt_cert_type": other, "mdtrt_cert_no": ""}})
        assert (code(answer), "mdtrt_cert_no" in answer["err_msg"]) == ("field_missing", True)
    answer = called("1101", {"data": {"psn_name": world.patient.name}})
    assert (code(answer), "mdtrt_cert_type" in answer["err_msg"]) == ("field_missing", True)


@pytest.mark.parametrize("moment", ["2026-1-4 9:05:03", "2026-1-4", "2026/1/4 9:05:03", "20260104090503"])
def test_times_without_leading_zeros(world: World, moment: str) -> None:
    assert code(world.hospital.call("1101", {"data": credential(world.patient) | {"begntime": moment}})) == ""
    assert code(world.hospital.call("1101", {"data": credential(world.patient)}, inf_time=moment)) == ""


def charged(world: World, *codes: str) -> tuple[str, Decimal]:
    mdtrt_id = world.hospital.register(world.patient)
    lines = [line(world.patient, mdtrt_id, str(at), one, "1", "900.00") for at, one in enumerate(codes, 1)]
    world.hospital.ok("2204", {"feedetail": lines})
    return mdtrt_id, Decimal("900.00") * len(codes)


def test_a_padded_code_is_the_code_whatever_the_length_of_the_field(world: World) -> None:
    mdtrt_id, total = charged(world, DRUG)
    given = bill_input(world.patient, mdtrt_id, total) | {"acct_used_flag": "01"}
    assert code(world.hospital.call("2206", {"data": given})) == ""
    answer = world.hospital.call("2206", {"data": given | {"acct_used_flag": "11"}})
    assert code(answer) == "field_too_long"


def test_the_four_parts_that_nobody_looks_at_may_be_empty(world: World) -> None:
    mdtrt_id, total = charged(world, DRUG)
    parts = dict.fromkeys(["fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"], "")
    assert code(world.hospital.settle(world.patient, mdtrt_id, total, **parts)) == ""


@pytest.mark.parametrize(("made_by", "called"), [("2207A", "2207"), ("2207", "2207A")])
def test_a_correction_knows_both_names_of_a_settlement(world: World, made_by: str, called: str) -> None:
    mdtrt_id, total = charged(world, DRUG)
    world.hospital.ok(made_by, {"data": bill_input(world.patient, mdtrt_id, total)}, msgid="LOST")
    given = {"psn_no": psn_no(world.patient), "omsgid": "LOST", "oinfno": called}
    answer = world.hospital.call("2601", {"data": given})
    assert (code(answer), answer["warn_msg"]) == ("", None)
    assert code(world.hospital.call("2601", {"data": given | {"oinfno": "2304"}})) == "correction_other"


def test_what_the_fund_could_still_pay_before_this_bill(world: World) -> None:
    mdtrt_id, total = charged(world, DRUG, LUXURY)
    hospital, given = world.hospital, bill_input(world.patient, mdtrt_id, total)
    first = rows(hospital.ok("2206", {"data": given}))
    assert first["310200"]["crt_payb_lmt_amt"] is None
    settled = hospital.ok("2207", {"data": given})
    assert rows(settled)["310100"] == first["310100"]
    paid = first["310100"]["fund_payamt"]
    assert paid > 0
    mdtrt_id, total = charged(world, DRUG)
    second = rows(hospital.ok("2206", {"data": bill_input(world.patient, mdtrt_id, total)}))
    assert second["310100"]["crt_payb_lmt_amt"] == first["310100"]["crt_payb_lmt_amt"] - paid
    numbers = {"psn_no": psn_no(world.patient), **{name: settled["setlinfo"][name] for name in ("setl_id", "mdtrt_id")}}
    assert rows(hospital.ok("5203", {"data": numbers})) == rows(settled)
    assert rows(hospital.ok("2208", {"data": numbers}))["310100"]["crt_payb_lmt_amt"] is None


def rows(output: dict) -> dict[str, dict]:
    return {row["fund_pay_type"]: row for row in output["setldetail"]}


def test_both_balances_stand_in_the_answers_of_a_stay_too(world: World) -> None:
    hospital, patient = world.hospital, world.patient
    mdtrt_id = admit(hospital, patient)
    hospital.ok("2301", {"feedetail": [fee(patient, mdtrt_id, "1", DRUG, "1", "120.00")]})
    hospital.ok("2402", leaving(patient, mdtrt_id))
    asked = bill(patient, mdtrt_id, Decimal("120.00"))
    quoted, settled = (hospital.ok(number, asked)["setlinfo"] for number in ("2303", "2304"))
    back = hospital.ok("2305", {"data": {name: settled[name] for name in ("psn_no", "mdtrt_id", "setl_id")}})[
        "setlinfo"
    ]
    for info in (quoted, settled, back):
        held = json.loads(info["exp_content"], parse_float=Decimal)
        assert info["exp_content"] == info["expContent"]
        assert sum(held.values()) == info["balc"]
    assert settled["balc"] < back["balc"] == Decimal("150.00")


def test_sums_over_nothing_are_null(world: World) -> None:
    asked = {
        "insutype": "310", "clr_type": "13", "setl_optins": "310000", "stmt_begndate": "2026-11-01",
        "stmt_enddate": "2026-11-01 23:59:59", "medfee_sumamt": None, "fund_pay_sumamt": "", "acct_pay": "null",
        "fixmedins_setl_cnt": None,
    }  # fmt: skip
    assert world.hospital.ok("3201", {"data": asked})["stmtinfo"]["stmt_rslt"] == "0"


def test_a_half_as_oracle_writes_it(world: World) -> None:
    mdtrt_id = world.hospital.register(world.patient)
    half = line(world.patient, mdtrt_id, "1", DRUG, "0.5", "9.00") | {"cnt": ".5"}
    (told,) = world.hospital.ok("2204", {"feedetail": [half]})["result"]
    assert (told["cnt"], told["det_item_fee_sumamt"]) == (Decimal("0.5"), Decimal("4.50"))


def test_a_purchase_does_not_fail_for_its_trace_codes(world: World) -> None:
    pharmacy = make_hospital(world.region, "示例药店", kind="pharmacy", level="primary")
    traced = drug(
        "1", DRUG, "1", "45.00", durg_trac_info=[{"feedetl_sn": "1", "drug_trac_codg": "", "trdn_flag": None}]
    )
    pharmacy.ok("2102", purchase(world, traced))


def test_something_stands_where_a_transaction_has_no_output_if_the_program_wants_it(world: World) -> None:
    settings = {"output": {"result": "ok"}, "enctype": ""}
    InstitutionSettings.objects.create(institution=world.hospital.institution, extra_fields=settings)
    visit = {"psn_no": psn_no(world.patient), "mdtrt_id": world.hospital.register(world.patient)}
    body = json.dumps(envelope("2205", {"data": visit | {"chrg_bchno": "0000"}}, world.hospital.institution.code))
    text = world.hospital.post(body.encode()).content.decode()
    assert text.count('"output"') == 1
    assert text.endswith('"output":{"result":"ok"},"enctype":""}')
    assert world.hospital.call("2205", {"data": visit | {"psn_no": "1", "chrg_bchno": "0000"}})["output"] is None


@pytest.mark.parametrize("name", ["naty", "patn_rlts", "agnter_rlts", "fixmedins_refd_setl_flag", "hi_feesetl_type"])
def test_1901_knows_the_lists_of_the_text(world: World, name: str) -> None:
    given = {"type": name, "parent_value": "", "admdvs": "310000", "date": "2026-11-22", "Vali_Flag": "1"}
    assert world.hospital.ok("1901", {"data": given})["list"]


def test_a_resident_whose_rules_are_not_held_is_told_what_the_hospital_does(world: World) -> None:
    resident = make_member("居某", region=world.region, insurance="resident")
    given = visit_input(resident) | {"insutype": "390"}
    mdtrt_id = world.hospital.ok("2201", {"data": given})["data"]["mdtrt_id"]
    world.hospital.ok("2204", {"feedetail": line(resident, mdtrt_id, "1", DRUG, "1", "40.00")})
    answer = world.hospital.settle(resident, mdtrt_id, Decimal("40.00"), insutype="390")
    assert code(answer) == "not_covered"
    assert "按自费收费" in answer["err_msg"]
    asked = {
        "psn_no": psn_no(resident), "insutype": "390", "fixmedins_code": world.hospital.institution.code,
        "med_type": "11", "begntime": given["begntime"],
    }  # fmt: skip
    (row,) = world.hospital.ok("2001", {"data": asked})["trtinfo"]
    assert row["trt_chk_rslt"] in answer["err_msg"]


def test_an_account_is_not_promised_for_care_that_is_not_settled(world: World) -> None:
    asked = {
        "psn_no": psn_no(world.patient), "insutype": "310", "fixmedins_code": world.hospital.institution.code,
        "med_type": "14", "begntime": visit_input(world.patient)["begntime"],
    }  # fmt: skip
    found = world.hospital.ok("2001", {"data": asked})["trtinfo"]
    assert {(row["trt_enjymnt_flag"], "med_type" in row["trt_chk_rslt"]) for row in found} == {("0", True)}


def test_the_hash_of_an_input_is_keyed_and_one_from_before_is_still_known(world: World) -> None:
    given, msgid = {"data": visit_input(world.patient)}, f"M{time.monotonic_ns()}"
    first = world.hospital.call("2201", given, msgid=msgid)
    plain = sha256(json_text.dumps(["2201", given]).encode()).hexdigest()
    kept = GatewayMessage.objects.filter(claim=msgid)
    assert kept.get().request_hash not in (plain, blind_index(plain))
    kept.update(request_hash=plain)

    class Editor:
        def __init__(self) -> None:
            self.connection = connection

    import_module("gateway.migrations.0014_keyed_hashes").add_the_key(None, Editor())
    assert kept.get().request_hash == blind_index(plain)
    assert world.hospital.call("2201", given, msgid=msgid) == first


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"output": {"result": "ok"}}, True),
        ({"output": {"result": "ok"}, "enctype": ""}, True),
        ({"output": {}}, False),
        ({"output": "ok"}, False),
        ({"output": None}, False),
        ({"output": {"result": {"deep": 1}}}, False),
    ],
)
def test_what_may_stand_in_an_output_that_has_nothing(world: World, fields: dict, valid: bool) -> None:
    institution = world.hospital.institution
    form = SettingsForm({"institution": institution.pk, "extra_fields": json.dumps(fields), "networks": ""})
    assert form.is_valid() == valid, form.errors
    assert valid or "extra_fields" in form.errors


@pytest.mark.parametrize("fields", [{"output": {}}, {"output": "ok"}, {"infcode": 0}])
def test_the_database_holds_what_may_be_added(world: World, fields: dict) -> None:
    with pytest.raises(IntegrityError, match="institution_extra_fields"), transaction.atomic():
        InstitutionSettings.objects.create(institution=world.hospital.institution, extra_fields=fields)


def test_half_a_fen_may_be_rounded_either_way(world: World) -> None:
    """The text names no rounding; .NET and Python round an exact half to the even fen."""
    mdtrt_id = world.hospital.register(world.patient)

    def sent(sn: str, cnt: str, amount: str) -> dict:
        row = line(world.patient, mdtrt_id, sn, DRUG, cnt, "4.45", det_item_fee_sumamt=amount)
        return world.hospital.call("2204", {"feedetail": row})

    for sn, amount in (("1", "2.22"), ("2", "2.23")):
        (row,) = sent(sn, "0.5", amount)["output"]["result"]
        assert Decimal(str(row["det_item_fee_sumamt"])) == Decimal(str(row["inscp_scp_amt"])) == Decimal(amount)
    for sn, cnt, amount in (("3", "0.5", "2.21"), ("4", "0.5", "2.24"), ("5", "0.51", "2.26"), ("6", "1", "4.44")):
        assert code(sent(sn, cnt, amount)) == "line_amount"
