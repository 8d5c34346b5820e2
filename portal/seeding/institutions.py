"""Hospitals of each level, pharmacies, service centres and the catalogue of every region.

All invented but the form of the codes; XA10BAD001 is the drug of the walk in docs/gateway.md.
"""

import datetime
from decimal import Decimal

from accounts.models import Institution, Region, ServiceCentre
from settlements.models import CatalogueItem

SINCE = datetime.date(2020, 1, 1)
# Code, name, kind, level.
PLACES = {
    "310000": [
        ("H31010100001", "浦江中心医院", "hospital", "tertiary"),
        ("H31010400002", "徐汇滨江医院", "hospital", "secondary"),
        ("H31011000003", "杨树浦社区卫生服务中心", "hospital", "primary"),
        ("H31011500004", "花木社区卫生服务中心", "hospital", "primary"),
        ("P31010100001", "同济堂药房人民路店", "pharmacy", "primary"),
        ("P31011500002", "海棠大药房世纪大道店", "pharmacy", "primary"),
    ],
    "110000": [
        ("H11010100001", "京华医院", "hospital", "tertiary"),
        ("H11010800002", "海淀第二医院", "hospital", "secondary"),
        ("H11010500003", "朝外社区卫生服务中心", "hospital", "primary"),
        ("P11010200001", "安和堂药店西单店", "pharmacy", "primary"),
        ("P11010800002", "百草药房中关村店", "pharmacy", "primary"),
    ],
    "210100": [
        ("H21010200001", "沈河特级医院", "hospital", "top"),
        ("H21010300002", "浑河第三医院", "hospital", "tertiary"),
        ("H21010400003", "大东第二医院", "hospital", "secondary"),
        ("H21010500004", "皇姑社区卫生服务中心", "hospital", "primary"),
        ("P21010200001", "北陵大药房", "pharmacy", "primary"),
    ],
    "410100": [
        ("H41010200001", "中原省级医院", "hospital", "top"),
        ("H41010300002", "二七第三医院", "hospital", "tertiary"),
        ("H41010400003", "管城第二医院", "hospital", "secondary"),
        ("H41010500004", "金水社区卫生服务中心", "hospital", "primary"),
        ("P41010500001", "嵩山大药房花园路店", "pharmacy", "primary"),
    ],
}
# Where nobody of the demo lives: two hospitals, a community and a pharmacy each, so that no page stands empty.
ELSEWHERE = {
    "320500": ("姑苏", "320508"),
    "320600": ("崇川", "320613"),
    "330100": ("西湖", "330106"),
    "330200": ("海曙", "330203"),
    "370481": ("荆河", "370481"),
    "371500": ("东昌府", "371502"),
    "411000": ("魏都", "411002"),
    "420100": ("江岸", "420102"),
    "440100": ("越秀", "440104"),
    "440300": ("福田", "440304"),
    "500000": ("渝中", "500103"),
    "520100": ("云岩", "520103"),
}
for _region, (_district, _code) in ELSEWHERE.items():
    PLACES[_region] = [
        (f"H{_code}00001", f"{_district}示例医院", "hospital", "tertiary"),
        (f"H{_code}00002", f"{_district}第二示例医院", "hospital", "secondary"),
        (f"H{_code}00003", f"{_district}示例社区卫生服务中心", "hospital", "primary"),
        (f"P{_code}00001", f"{_district}示例大药房", "pharmacy", "primary"),
    ]
CENTRES = {
    **{region: [(f"{district}医保服务大厅", f"{district}示例路1号")] for region, (district, _) in ELSEWHERE.items()},
    "310000": [("静安医保服务中心", "静安区示例路100号"), ("浦东医保服务中心", "浦东新区示例路200号")],
    "110000": [("海淀医保服务大厅", "海淀区示例街1号")],
    "210100": [("和平医保服务大厅", "和平区示例街18号")],
    "410100": [("金水医保服务大厅", "金水区示例路66号")],
}
# Code, name, class, pre-self-pay in percent, highest price that counts.
ITEMS: list[tuple[str, str, str, int, str | None]] = [
    ("XA10BAD001", "二甲双胍片", "A", 0, None),
    ("XA10BBG002", "格列美脲片", "A", 0, None),
    ("XA02BCA003", "奥美拉唑肠溶胶囊", "A", 0, None),
    ("XB01ACA004", "阿司匹林肠溶片", "A", 0, None),
    ("XC07ABM005", "美托洛尔片", "A", 0, None),
    ("XC08CAA006", "氨氯地平片", "A", 0, None),
    ("XC10AAA007", "阿托伐他汀钙片", "A", 0, None),
    ("XJ01CAA008", "阿莫西林胶囊", "A", 0, None),
    ("XJ01DCT009", "头孢呋辛酯片", "A", 0, None),
    ("XM01AEB010", "布洛芬缓释胶囊", "A", 0, None),
    ("XN02BEY011", "对乙酰氨基酚片", "A", 0, None),
    ("XR03ACS012", "沙丁胺醇气雾剂", "A", 0, None),
    ("XR06AXL013", "氯雷他定片", "A", 0, None),
    ("ZA04BAB014", "板蓝根颗粒", "A", 0, None),
    ("XA10BKD015", "达格列净片", "B", 10, None),
    ("XA10BJL016", "利拉鲁肽注射液", "B", 10, "410.00"),
    ("XC09CAX017", "缬沙坦胶囊", "B", 5, None),
    ("XB01AFL018", "利伐沙班片", "B", 10, None),
    ("XJ01MAZ019", "左氧氟沙星片", "B", 5, None),
    ("XL01XCT020", "曲妥珠单抗注射液", "B", 20, "5500.00"),
    ("XL02BGA021", "阿那曲唑片", "B", 10, None),
    ("XM05BAA022", "阿仑膦酸钠片", "B", 10, None),
    ("XN06ABS023", "舍曲林片", "B", 5, None),
    ("ZC02AAF024", "复方丹参滴丸", "B", 10, None),
    ("ZA09FAL025", "连花清瘟胶囊", "B", 10, None),
    ("001101000010000", "普通门诊诊察费", "A", 0, "25.00"),
    ("001102000010000", "专家门诊诊察费", "B", 30, "50.00"),
    ("002501010150000", "血常规", "A", 0, "25.00"),
    ("002503030010000", "糖化血红蛋白测定", "A", 0, "75.00"),
    ("002503010010000", "肝功能检查", "A", 0, "60.00"),
    ("002102000010000", "X线摄影", "A", 0, "60.00"),
    ("002103000010000", "CT平扫", "B", 10, "260.00"),
    ("002102000020000", "磁共振平扫", "B", 20, "620.00"),
    ("002203020010000", "腹部彩色B超", "B", 10, "120.00"),
    ("003107010010000", "常规心电图", "A", 0, "25.00"),
    ("004300000010000", "针刺治疗", "A", 0, "30.00"),
    ("C0110107001", "一次性静脉留置针", "B", 10, "28.00"),
    ("XV06DXP040", "复合维生素片", "C", 100, None),
    ("XD11AXM041", "祛斑软膏", "C", 100, None),
    ("003112010010000", "牙齿美白", "C", 100, None),
]


def make() -> None:
    """Everything that people go to, for each region that is loaded."""
    for region in Region.objects.filter(code__in=PLACES):
        Institution.objects.bulk_create(
            Institution(code=code, name=name, kind=kind, level=level, region=region)
            for code, name, kind, level in PLACES[region.code]
        )
        ServiceCentre.objects.bulk_create(
            ServiceCentre(region=region, name=name, address=address, phone="12393")
            for name, address in CENTRES[region.code]
        )
        CatalogueItem.objects.bulk_create(
            CatalogueItem(
                region=region,
                code=code,
                name=name,
                item_class=item_class,
                self_pay_percent=percent,
                price_limit=limit and Decimal(limit),
                valid_from=SINCE,
            )
            for code, name, item_class, percent, limit in ITEMS
        )


def by_region() -> dict[str, list[tuple[str, str]]]:
    """Region -> (code, kind) of its institutions."""
    return {region: [(code, kind) for code, _, kind, _ in places] for region, places in PLACES.items()}
