"""How programs differ that say the same: signature, address, Content-Type, infcode, numbers. Source: interface.md 1.4,
1.5 and 1.7."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from gateway import client

X_TIF, X_CA, API, API_KEY = "x-tif", "x-ca", "api", "apikey"
VARIANTS = (X_TIF, X_CA, API, API_KEY)
# The one address for all; the same with the number behind it; one for each transaction.
ONE, NUMBERED, SERVICE = "one", "numbered", "service"
BASE = "/fsi/api"
# Family (b), as the programs have it, misspelt; what has no address there goes to the one for all.
PATHS = {
    "9001": "signInSignOutService/signIn",
    "9002": "signInSignOutService/signOut",
    "9101": "fileupload/upload",
    "9102": "fileupload/download",
    "1101": "fsiPsnInfoService/queryPsnInfo",
    "1201": "fsiFixMedInsService/queryFixMedIns",
    "1901": "catalogqueryservice/queryDataDic",
    "2001": "fsiPsnPriorityInfoService/queryPsnPriorityInfo",
    "2201": "outpatientDocInfoService/outpatientRregistration",
    "2202": "outpatientDocInfoService/outpatientRegistrationCancel",
    "2203": "outpatientDocInfoService/outpatientMdtrtinfoUp",
    "2203A": "outpatientDocInfoService/outpatientMdtrtinfoUpA",
    "2204": "outpatientDocInfoService/outpatientFeeListUp",
    "2205": "outpatientDocInfoService/outpatientFeeListUpCancel",
    "2206": "outpatientSettleService/preSettletment",
    "2206A": "outpatientSettleService/preSettletmentA",
    "2207": "outpatientSettleService/saveSettletmentV2",
    "2207A": "outpatientSettleService/saveSettletmentA",
    "2208": "outpatientSettleService/cancleSettletment",
    "2601": "reverseService/revsMethod",
    "2301": "hospFeeDtlService/feeDtlUp",
    "2302": "hospFeeDtlService/feeDtlCl",
    "2303": "hospSettService/preSett",
    "2304": "hospSettService/settV2",
    "2305": "hospSettService/settCl",
    "2401": "hospitalRegisterService/hospitalRegisterSave",
    "2403": "hospitalRegisterService/hospitalRegisterEdit",
    "2404": "hospitalRegisterService/hospitalRegisterCancel",
    "2402": "dscgService/dischargeProcess",
    "2405": "dscgService/dischargeUndo",
    "3201": "ybSettlementStmtService/stmtTotal",
    "3202": "ybSettlementStmtService/stmtDetail",
    "5203": "fsiIntegratedQueryService/querySetlInfo",
    "5204": "fsiIntegratedQueryService/queryFeeList",
    "5301": "fsiIntegratedQueryService/queryPsnOpspReg",
    "5303": "fsiIntegratedQueryService/queryInhospInfo",
}


@dataclass(frozen=True)
class Manner:
    """One program's habits. `infcode_as_text` is set at the gateway for its institution; `input_as_text`: the input is
    a text that holds JSON."""

    variant: str = X_TIF
    address: str = ONE
    content_type: str = "application/json"
    infcode_as_text: bool = False
    expect: bool = False
    input_as_text: bool = False

    @property
    def told(self) -> str:
        """In a finding."""
        said = [
            self.variant,
            self.address,
            self.content_type.partition("/")[2],
            "text" if self.infcode_as_text else "number",
        ]
        return " ".join(said + ["100-continue"] * self.expect)

    def path(self, infno: str) -> str:
        """The address of a message."""
        if self.address == SERVICE and infno in PATHS:
            return f"{BASE}/{PATHS[infno]}"
        return client.PATH if self.address != NUMBERED else f"{client.PATH}/{infno}"

    def headers(self, signer: "Signer", infno: str, body: bytes) -> dict[str, str]:
        """Signed, and with the Content-Type."""
        match self.variant:
            case "x-ca":
                signed = client.x_ca_headers(signer.code, signer.secret, body)
            case "api":
                signed = client.api_headers(signer.key_id, signer.secret, f"api_{infno}")
            case "apikey":
                signed = client.api_key_headers(signer.key_id, signer.secret)
            case _:
                signed = client.signed_headers(signer.key_id, signer.secret)
        return {"Content-Type": self.content_type, **signed}


@dataclass(frozen=True)
class Signer:
    """An institution's code and one of its keys."""

    code: str
    key_id: str
    secret: str


def every() -> Iterator[Manner]:
    """Signature × address × Content-Type × infcode; every other one asks before it sends the body."""
    kinds = product(VARIANTS, (ONE, NUMBERED, SERVICE), ("text/plain", "application/json"), (False, True))
    for at, (variant, address, content_type, as_text) in enumerate(kinds):
        yield Manner(variant, address, content_type, as_text, expect=at % 2 == 1)
