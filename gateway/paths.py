"""The address of each transaction where each has its own (Hebei, Chongqing, Zhejiang). Source: interface.md 1.5.

Misspelt as in the programs that call them. Whoever has no address here is reached by the one for all.
"""

import re
from collections.abc import Collection

PREFIX = "/fsi/api/"
FOR_ALL_AT = f"{PREFIX}rsfComIfsService/callService"
# Whole addresses that programs of other regions have built in: something before ours, or one of their own in its place.
ELSEWHERE = re.compile(
    r"(?:/ebus/\w+|/mbs/fmi)?/fsi/api/(?P<service>.*)"
    r"|(?:/ebus/\w+/\w+/hsa/hgs|/csb|/hss-call-service-interface|/uif-hsaf-med-api/api/medical/service)(?P<number>(?:/.*)?)"
    r"|(?P<version>/[0-9.]+/hsa-fsi-\w+/?)",
    re.IGNORECASE,
)
SLASHES = re.compile("/{2,}")
SERVICES: dict[str, dict[str, tuple[str, ...]]] = {
    "signInSignOutService": {"signIn": ("9001",), "signOut": ("9002",)},
    "fileupload": {"upload": ("9101",), "download": ("9102",)},
    "fsiPsnInfoService": {"queryPsnInfo": ("1101",)},
    "fsiFixMedInsService": {"queryFixMedIns": ("1201",)},
    "catalogqueryservice": {"queryDataDic": ("1901",)},
    "fsiPsnPriorityInfoService": {"queryPsnPriorityInfo": ("2001",)},
    "outpatientDocInfoService": {
        "outpatientRregistration": ("2201",),
        "outpatientRegistration": ("2201",),
        "outpatientRegistrationCancel": ("2202",),
        "outpatientMdtrtinfoUp": ("2203",),
        "outpatientMdtrtinfoUpA": ("2203A",),
        "outpatientFeeListUp": ("2204",),
        "outpatientFeeListUpCancel": ("2205",),
    },
    "outpatientSettleService": {
        "preSettletment": ("2206",),
        "preSettletmentA": ("2206A",),
        "saveSettletmentV2": ("2207",),
        # Without V2 it is 2207A in one program, and the name that 2207 had before.
        "saveSettletment": ("2207A", "2207"),
        "saveSettletmentA": ("2207A",),
        "cancleSettletment": ("2208",),
    },
    "reverseService": {"revsMethod": ("2601",)},
    "hospFeeDtlService": {"feeDtlUp": ("2301",), "feeDtlCl": ("2302",)},
    "hospSettService": {"preSett": ("2303",), "settV2": ("2304",), "settCl": ("2305",)},
    "hospitalRegisterService": {
        "hospitalRegisterSave": ("2401",),
        "hospitalRegisterEdit": ("2403",),
        "hospitalRegisterCancel": ("2404",),
    },
    "dscgService": {"dischargeProcess": ("2402",), "dischargeUndo": ("2405",)},
    "ybSettlementStmtService": {"stmtTotal": ("3201",), "stmt": ("3201",), "stmtDetail": ("3202",)},
    "fsiIntegratedQueryService": {
        "querySetlInfo": ("5203",),
        "queryFeeList": ("5204",),
        "queryPsnOpspReg": ("5301",),
        "queryInhospInfo": ("5303",),
    },
}
# Where every transaction may be called: that of the text, and Jilin's.
FOR_ALL = {("rsfcomifsservice", "callservice"), ("callfsiservice", "callservice")}
_FOLDED = {
    (service.lower(), method.lower()): numbers
    for service, methods in SERVICES.items()
    for method, numbers in methods.items()
}


def ours(path: str) -> str | None:
    """The address of the portal that a program means by its own; None for what is no call of an institution."""
    # Put together of a base that ends in a slash and a path that begins with one.
    if "//" in path:
        path = SLASHES.sub("/", path)
    if path.startswith(PREFIX):
        return path
    found = ELSEWHERE.fullmatch(path)
    if not found:
        return None
    service = found["service"]
    return f"{FOR_ALL_AT}{found['number'] or found['version'] or ''}" if service is None else f"{PREFIX}{service}"


def numbers_at(service: str, method: str, rest: str = "") -> Collection[str] | None:
    """What may be called at an address, in capitals or not; empty for all, None where there is no such address.

    `rest` stands behind service and method: a number, behind an address for all.
    """
    at, number = (service.lower(), method.lower()), number_in(rest)
    if at in FOR_ALL:
        return {number} if number else ()
    return None if number else _FOLDED.get(at)


def number_in(name: str) -> str:
    """The number in the last part of an address: 1101, api_1101, 1.0.0/hsa-fsi-1101; empty where there is none."""
    return name.rstrip("/").rpartition("/")[2].replace("_", "-").rpartition("-")[2].upper()
