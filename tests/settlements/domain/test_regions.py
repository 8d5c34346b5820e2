"""Bills of real regions, to the fen: each row is a patient and what comes out of his bills, one after the other."""

import datetime
from typing import Any

import pytest

from tests.settlements.domain.world import (
    BEIJING,
    HANGZHOU,
    SHANGHAI,
    SHENYANG,
    SHENZHEN,
    SUZHOU,
    TENGZHOU,
    ZHENGZHOU,
    patient,
)

DAY = "2025-09-10"
RETIRED = {"status": "retired", "retired_on": datetime.date(2018, 1, 1), "birth": datetime.date(1958, 1, 1)}
RETIRED_2000 = {"status": "retired", "retired_on": datetime.date(2000, 12, 31), "birth": datetime.date(1940, 12, 1)}
RETIRED_2001 = {"status": "retired", "retired_on": datetime.date(2001, 1, 1), "birth": datetime.date(1941, 1, 1)}
OVER = {"deductible": "500.00"}

# Region, patient, bills: day, care and level, in-scope, more fields, what comes out (what is zero is left out).
Bill = tuple[str, str, str, dict[str, Any], dict[str, str]]
STORIES: dict[str, tuple[str, dict[str, Any], list[Bill]]] = {
    "Shanghai: current, deductible, rate": (
        SHANGHAI,
        {"current": "1000.00"},
        [
            (
                DAY,
                "outpatient tertiary",
                "3000.00",
                {},
                {"current": "1000.00", "deductible": "500.00", "fund": "1050.00", "cash": "950.00"},
            )
        ],
    ),
    "Shanghai: historical pays deductible and co-pay": (
        SHANGHAI,
        {"current": "1000.00", "historical": "600.00"},
        [
            (
                DAY,
                "outpatient tertiary",
                "3000.00",
                {},
                {
                    "current": "1000.00",
                    "deductible": "500.00",
                    "fund": "1050.00",
                    "historical": "600.00",
                    "cash": "350.00",
                },
            )
        ],
    ),
    "Shanghai: what current pays is not in the deductible": (
        SHANGHAI,
        {"current": "800.00", "historical": "300.00"},
        [
            ("2025-08-05", "outpatient primary", "500.00", {}, {"current": "500.00"}),
            (
                "2025-10-11",
                "outpatient tertiary",
                "1000.00",
                {},
                {
                    "current": "300.00",
                    "deductible": "500.00",
                    "fund": "140.00",
                    "historical": "300.00",
                    "cash": "260.00",
                },
            ),
            ("2026-01-20", "outpatient secondary", "256.60", {}, {"fund": "192.45", "cash": "64.15"}),
        ],
    ),
    "Shanghai: a tie is rounded up, the rest is the patient's": (
        SHANGHAI,
        {"used": OVER},
        [(DAY, "outpatient secondary", "100.06", {}, {"fund": "75.05", "cash": "25.01"})],
    ),
    "Shanghai: retired on the last day of 2000": (
        SHANGHAI,
        RETIRED_2000,
        [
            (
                DAY,
                "outpatient secondary",
                "1000.00",
                {},
                {"deductible": "200.00", "fund": "680.00", "cash": "320.00"},
            )
        ],
    ),
    "Shanghai: retired on the first day of 2001": (
        SHANGHAI,
        RETIRED_2001,
        [
            (
                DAY,
                "outpatient secondary",
                "1000.00",
                {},
                {"deductible": "300.00", "fund": "560.00", "cash": "440.00"},
            )
        ],
    ),
    "Shanghai: one deductible over all levels": (
        SHANGHAI,
        {},
        [
            (DAY, "outpatient primary", "300.00", {}, {"deductible": "300.00", "cash": "300.00"}),
            (
                DAY,
                "outpatient tertiary",
                "600.00",
                {},
                {"deductible": "200.00", "fund": "280.00", "cash": "320.00"},
            ),
        ],
    ),
    "Shanghai: in hospital current does not pay, historical does": (
        SHANGHAI,
        {**RETIRED_2000, "current": "500.00", "historical": "2000.00"},
        [
            (
                DAY,
                "inpatient tertiary",
                "8088.51",
                {},
                {"deductible": "700.00", "fund": "6797.43", "historical": "1291.08"},
            )
        ],
    ),
    "Shanghai: the inpatient deductible is a counter of its own, borne once a year": (
        SHANGHAI,
        {"used": OVER},
        [
            (
                DAY,
                "inpatient secondary",
                "20000.00",
                {},
                {"deductible": "1500.00", "fund": "15725.00", "cash": "4275.00"},
            ),
            ("2026-02-01", "inpatient secondary", "1000.00", {}, {"fund": "850.00", "cash": "150.00"}),
            ("2026-02-02", "outpatient primary", "100.00", {}, {"fund": "80.00", "cash": "20.00"}),
        ],
    ),
    "Shanghai: at the cap, and the supplement of 80%": (
        SHANGHAI,
        {"used": {"fund": "650000.00"}},
        [
            (
                DAY,
                "inpatient tertiary",
                "101500.00",
                {},
                {"deductible": "1500.00", "supplement": "80000.00", "cash": "21500.00"},
            )
        ],
    ),
    # 170 of entitlement, 85 of room: half of the 200 is beyond the cap, 80% of it is 80.
    "Shanghai: the cap is reached within a bill": (
        SHANGHAI,
        {"used": {"fund": "649915.00", "inpatient_deductible": "1500.00"}},
        [(DAY, "inpatient tertiary", "200.00", {}, {"fund": "85.00", "supplement": "80.00", "cash": "35.00"})],
    ),
    "Shanghai: the cap of the year before was lower": (
        SHANGHAI,
        {"used": {"fund": "629960.00", **OVER}},
        [
            (
                "2025-06-30",
                "outpatient primary",
                "100.00",
                {},
                {"fund": "40.00", "supplement": "40.00", "cash": "20.00"},
            ),
            ("2025-07-01", "outpatient primary", "100.00", {}, {"fund": "80.00", "cash": "20.00"}),
        ],
    ),
    "Shanghai: suspended; current and historical pay, no fund and no deductible": (
        SHANGHAI,
        {"enrolment": "suspended", "current": "100.00", "historical": "50.00", "grantors": {"B": "20.00"}},
        [
            (
                DAY,
                "outpatient primary",
                "300.00",
                {},
                {"current": "100.00", "historical": "50.00", "B": "20.00", "cash": "130.00"},
            )
        ],
    ),
    "Shanghai: frozen; all in cash": (
        SHANGHAI,
        {"enrolment": "frozen", "current": "100.00", "historical": "50.00", "grantors": {"B": "20.00"}},
        [(DAY, "outpatient primary", "300.00", {"self_paid": "5.00"}, {"cash": "305.00"})],
    ),
    "Shanghai: off-catalogue and pre-self-pay in cash": (
        SHANGHAI,
        {"historical": "500.00", "used": OVER},
        [
            (
                DAY,
                "outpatient primary",
                "400.00",
                {"self_paid": "90.00", "pre_self_pay": "10.00"},
                {"fund": "320.00", "historical": "80.00", "cash": "100.00"},
            )
        ],
    ),
    "Shanghai: a pharmacy bears no deductible; current, historical, grantor": (
        SHANGHAI,
        {"current": "30.00", "historical": "20.00", "grantors": {"B": "10.00"}},
        [
            (
                DAY,
                "pharmacy primary",
                "100.00",
                {},
                {"current": "30.00", "historical": "20.00", "B": "10.00", "cash": "40.00"},
            ),
            (DAY, "outpatient primary", "100.00", {}, {"deductible": "100.00", "cash": "100.00"}),
        ],
    ),
    "Shanghai: a resident is served from the grantor": (
        SHANGHAI,
        {"insurance": "resident", "grantors": {"B": "100.00"}},
        [(DAY, "pharmacy primary", "160.00", {}, {"B": "100.00", "cash": "60.00"})],
    ),
    "Shanghai: a pharmacy of 2017": (
        SHANGHAI,
        {"current": "100.00"},
        [("2017-03-31", "pharmacy primary", "30.00", {}, {"current": "30.00"})],
    ),
    "Beijing: beyond the deductible, own money": (
        BEIJING,
        {"historical": "1000.00", "used": {"deductible": "1800.00"}},
        [(DAY, "outpatient tertiary", "1260.92", {}, {"fund": "882.64", "historical": "378.28"})],
    ),
    "Beijing: own money, then grantors as filed": (
        BEIJING,
        {"historical": "50.00", "used": {"deductible": "1700.00"}, "grantors": {"A": "100.00", "B": "500.00"}},
        [
            (
                DAY,
                "outpatient secondary",
                "500.00",
                {},
                {"deductible": "100.00", "fund": "280.00", "historical": "50.00", "A": "100.00", "B": "70.00"},
            )
        ],
    ),
    "Beijing: the rate changes on the 70th birthday": (
        BEIJING,
        {"status": "retired", "birth": datetime.date(1955, 8, 20), "used": {"deductible": "1300.00"}},
        [
            ("2025-08-19", "outpatient tertiary", "100.00", {}, {"fund": "85.00", "cash": "15.00"}),
            ("2025-08-20", "outpatient tertiary", "100.00", {}, {"fund": "90.00", "cash": "10.00"}),
        ],
    ),
    # 10 of room at 70% are 14.2857… of cost, the other 85.7142… pay 60%: 61.42857… in one rounding.
    "Beijing: over 20,000 within a bill": (
        BEIJING,
        {"used": {"deductible": "1800.00", "fund": "19990.00"}},
        [
            (DAY, "outpatient tertiary", "100.00", {}, {"fund": "61.43", "cash": "38.57"}),
            (DAY, "outpatient primary", "100.00", {}, {"fund": "60.00", "cash": "40.00"}),
        ],
    ),
    "Beijing: over 20,000, retired": (
        BEIJING,
        {**RETIRED, "used": {"deductible": "1300.00", "fund": "20000.00"}},
        [(DAY, "outpatient primary", "100.00", {}, {"fund": "80.00", "cash": "20.00"})],
    ),
    "Shenyang: third level": (
        SHENYANG,
        {},
        [
            (
                DAY,
                "outpatient tertiary",
                "1000.00",
                {},
                {"deductible": "400.00", "fund": "330.00", "cash": "670.00"},
            )
        ],
    ),
    "Shenyang: retired, at the signed institution: 70 + 5 + 10": (
        SHENYANG,
        RETIRED,
        [
            (
                DAY,
                "outpatient primary",
                "500.00",
                {"signed": True},
                {"deductible": "200.00", "fund": "255.00", "cash": "245.00"},
            )
        ],
    ),
    "Shenyang: the co-pay does not count to the deductible, levels top up": (
        SHENYANG,
        {},
        [
            (DAY, "outpatient secondary", "300.00", {}, {"deductible": "200.00", "fund": "65.00", "cash": "235.00"}),
            (DAY, "outpatient tertiary", "300.00", {}, {"deductible": "200.00", "fund": "55.00", "cash": "245.00"}),
            (DAY, "outpatient top", "300.00", {}, {"deductible": "200.00", "fund": "50.00", "cash": "250.00"}),
            (DAY, "outpatient primary", "100.00", {}, {"fund": "70.00", "cash": "30.00"}),
        ],
    ),
    "Shenyang: the cap of 12,000": (
        SHENYANG,
        {"used": {"deductible": "400.00", "fund": "11900.00"}},
        [
            (DAY, "outpatient tertiary", "600.00", {}, {"fund": "100.00", "cash": "500.00"}),
            (DAY, "outpatient tertiary", "600.00", {}, {"cash": "600.00"}),
        ],
    ),
    "Zhengzhou: 40 once a day and institution, the rest of it by the second bill": (
        ZHENGZHOU,
        {},
        [
            (
                DAY,
                "outpatient tertiary",
                "30.00",
                {"institution": "H1"},
                {"deductible": "30.00", "cash": "30.00"},
            ),
            (
                DAY,
                "outpatient tertiary",
                "110.00",
                {"institution": "H1"},
                {"deductible": "10.00", "fund": "60.00", "cash": "50.00"},
            ),
            (
                DAY,
                "outpatient secondary",
                "90.00",
                {"institution": "H2"},
                {"deductible": "40.00", "fund": "30.00", "cash": "60.00"},
            ),
            (
                "2025-09-11",
                "outpatient top",
                "200.00",
                {"institution": "H1"},
                {"deductible": "40.00", "fund": "88.00", "cash": "112.00"},
            ),
        ],
    ),
    "Zhengzhou: retired at a community": (
        ZHENGZHOU,
        RETIRED,
        [(DAY, "outpatient primary", "100.00", {"institution": "C1"}, {"fund": "75.00", "cash": "25.00"})],
    ),
    "Zhengzhou: the caps of 1,800 and 2,300": (
        ZHENGZHOU,
        {"used": {"fund": "1750.00"}},
        [
            (
                DAY,
                "outpatient top",
                "350.00",
                {"institution": "H1"},
                {"deductible": "40.00", "fund": "50.00", "cash": "300.00"},
            )
        ],
    ),
    "Hangzhou: pre-self-pay and off-catalogue from historical, not from current": (
        HANGZHOU,
        {"current": "520.00", "historical": "30.00"},
        [
            (
                DAY,
                "outpatient tertiary",
                "500.00",
                {"pre_self_pay": "50.00", "self_paid": "20.00"},
                {"current": "500.00", "historical": "30.00", "cash": "40.00"},
            )
        ],
    ),
    "Hangzhou: the signed community lowers the deductible": (
        HANGZHOU,
        {"used": {"deductible": "600.00"}},
        [
            (
                DAY,
                "outpatient primary",
                "300.00",
                {"signed": True},
                {"deductible": "100.00", "fund": "178.00", "cash": "122.00"},
            )
        ],
    ),
    "Hangzhou: grantors pay off-catalogue too": (
        HANGZHOU,
        {"used": {"deductible": "1000.00"}, "grantors": {"B": "80.00"}},
        [
            (
                DAY,
                "outpatient secondary",
                "200.00",
                {"self_paid": "60.00"},
                {"fund": "160.00", "B": "80.00", "cash": "20.00"},
            )
        ],
    ),
    # Each stay bears its 800; the 40,000 count from the first yuan of the bill.
    "Hangzhou: bands of a bill, each stay with its deductible": (
        HANGZHOU,
        {},
        [
            (
                DAY,
                "inpatient tertiary",
                "20000.00",
                {},
                {"deductible": "800.00", "fund": "15744.00", "cash": "4256.00"},
            ),
            (
                DAY,
                "inpatient tertiary",
                "40000.00",
                {},
                {"deductible": "800.00", "fund": "32144.00", "cash": "7856.00"},
            ),
        ],
    ),
    "Tengzhou: the deductible is topped up, and never given back": (
        TENGZHOU,
        {},
        [
            (
                DAY,
                "outpatient primary",
                "300.00",
                {},
                {"deductible": "200.00", "fund": "80.00", "cash": "220.00"},
            ),
            (
                DAY,
                "outpatient tertiary",
                "1000.00",
                {},
                {"deductible": "400.00", "fund": "360.00", "cash": "640.00"},
            ),
            (DAY, "outpatient secondary", "100.00", {}, {"fund": "70.00", "cash": "30.00"}),
        ],
    ),
    "Tengzhou: the supplement goes on at the rate of the bill": (
        TENGZHOU,
        {"used": {"deductible": "600.00", "fund": "3400.00"}},
        [
            (
                DAY,
                "outpatient tertiary",
                "500.00",
                {},
                {"fund": "100.00", "supplement": "200.00", "cash": "200.00"},
            ),
            (DAY, "outpatient primary", "1250.00", {}, {"supplement": "800.00", "cash": "450.00"}),
        ],
    ),
    "Suzhou: off-catalogue from what is above 6,000": (
        SUZHOU,
        {"historical": "6500.00"},
        [
            (
                DAY,
                "outpatient tertiary",
                "0.00",
                {"self_paid": "800.00"},
                {"historical": "500.00", "cash": "300.00"},
            )
        ],
    ),
    "Suzhou: at pharmacies the fund pays at most 3,000 of the year's 13,000": (
        SUZHOU,
        {"used": {"deductible": "600.00", "fund": "9000.00", "fund_pharmacy": "2900.00"}},
        [
            (DAY, "pharmacy primary", "300.00", {}, {"fund": "100.00", "cash": "200.00"}),
            (DAY, "outpatient primary", "300.00", {}, {"fund": "240.00", "cash": "60.00"}),
        ],
    ),
    "Suzhou: the year's cap holds at pharmacies as well": (
        SUZHOU,
        {"used": {"deductible": "600.00", "fund": "12990.00", "fund_pharmacy": "1000.00"}},
        [(DAY, "pharmacy primary", "300.00", {}, {"fund": "10.00", "cash": "290.00"})],
    ),
    "Suzhou: the in-scope share comes first and may go below 6,000": (
        SUZHOU,
        {"historical": "6100.00"},
        [
            (
                DAY,
                "outpatient primary",
                "90.00",
                {"self_paid": "50.00"},
                {"deductible": "90.00", "historical": "100.00", "cash": "40.00"},
            )
        ],
    ),
    "Shenzhen: the largest balance first, equal ones by name": (
        SHENZHEN,
        {"insurance": "resident", "grantors": {"C": "120.00", "B": "200.00", "A": "200.00"}},
        [(DAY, "pharmacy primary", "450.00", {}, {"A": "200.00", "B": "200.00", "C": "50.00"})],
    ),
    "Shenzhen: 7,778.15 stays with the grantor": (
        SHENZHEN,
        {"insurance": "resident", "grantors": {"B": "8000.00"}},
        [("2023-09-30", "pharmacy primary", "300.00", {}, {"B": "221.85", "cash": "78.15"})],
    ),
    "Shenzhen: from October 2023 nothing stays": (
        SHENZHEN,
        {"insurance": "resident", "grantors": {"B": "8000.00"}},
        [("2023-10-01", "pharmacy primary", "300.00", {}, {"B": "300.00"})],
    ),
}


@pytest.mark.parametrize(("code", "who", "bills"), STORIES.values(), ids=STORIES.keys())
def test_bills(code: str, who: dict[str, Any], bills: list[Bill]) -> None:
    somebody = patient(code, **who)
    for on, care, in_scope, more, expected in bills:
        assert somebody.bill(datetime.date.fromisoformat(on), care, in_scope, **more) == expected
