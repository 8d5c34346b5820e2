"""Invented people: names, ID numbers with a right check character, telephones. No number is given twice."""

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal

from accounts.domain import id_number

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜"
    "叶程魏苏吕丁任卢姚沈钟姜崔谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤"
)
RARE_SURNAMES = ["欧阳", "司徒", "上官", "诸葛", "亓", "昝", "仉", "逄", "邸", "䶮"]
GIVEN = {
    "M": "伟强磊军洋勇杰涛明超刚平辉鹏飞宇浩然博文志远思源嘉树景行承安怀瑾子墨亦凡立成",
    "F": "芳娜敏静丽艳娟霞玲燕婷雪琳梅兰倩颖洁慧欣怡若晴雨桐语嫣思涵可心诗雅静姝婉清",
}
# Characters that older systems cannot show: they must come through every page, search and printed paper.
RARE_NAMES = ["㛃", "䶮", "堃", "璟", "犇", "𬘭", "𫖯", "𠅤", "㑇", "赟"]
OTHER_NAMES = {
    "M": ["买买提·艾力", "扎西多吉", "阿不都拉·吐尔逊"],
    "F": ["古丽娜尔·买买提", "卓玛央金", "阿依努尔·热合曼"],
}
AREAS = {
    "310000": ["310101", "310104", "310105", "310110", "310112", "310115", "310117"],
    "110000": ["110101", "110102", "110105", "110106", "110108", "110112"],
    "210100": ["210102", "210103", "210104", "210105", "210112"],
    "410100": ["410102", "410103", "410104", "410105", "410122"],
}
EMPLOYERS = [
    "示例纺织有限公司",
    "示例软件有限公司",
    "示例中学",
    "示例物流有限公司",
    "示例机械厂",
    "示例商贸有限公司",
    "示例设计院",
]


@dataclass
class Person:
    """Somebody in the register. `opening`: yuan in (current, historical) on the first day; None: no account."""

    name: str
    sex: str
    birth: datetime.date
    region: str
    id_number: str
    card_number: str
    phone: str | None = None
    insurance: str = "employee"
    personal_status: str = "active"
    retired_on: datetime.date | None = None
    base: Decimal | None = None
    employer: str = ""
    suspended_on: datetime.date | None = None
    signed: bool = False
    opening: tuple[Decimal, Decimal] | None = None
    has_login: bool = True
    visits: int | None = None
    member_id: int = 0

    @property
    def surname(self) -> str:
        """What a child of his is called as well; empty for names that are not built that way."""
        if "·" in self.name:
            return ""
        return next((long for long in RARE_SURNAMES if self.name.startswith(long)), self.name[0])


class Names:
    """Gives out people's particulars from a seed, each number once."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.taken: set[str] = set()
        self.count = 0

    def surname(self) -> str:
        return self.rng.choice(RARE_SURNAMES) if self.rng.random() < 0.01 else self.rng.choice(SURNAMES)

    def given(self, sex: str) -> str:
        """One or two characters, now and then a rare one."""
        if self.rng.random() < 0.006:
            return self.rng.choice(RARE_NAMES)
        characters = GIVEN[sex]
        return "".join(self.rng.sample(characters, 1 if self.rng.random() < 0.2 else 2))

    def name(self, sex: str, surname: str = "") -> str:
        if not surname and self.rng.random() < 0.004:
            return self.rng.choice(OTHER_NAMES[sex])
        return (surname or self.surname()) + self.given(sex)

    def id_number(self, region: str, birth: datetime.date, sex: str) -> str:
        while True:
            order = self.rng.randrange(0, 500) * 2 + (sex == "M")
            number = id_number.make(self.rng.choice(AREAS[region]), birth, order)
            if number not in self.taken:
                self.taken.add(number)
                return number

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def phone(self) -> str:
        # 7919 and 10^7 have no common divisor, so no two counts give the same number.
        return f"1390{self.next_number() * 7919 % 10**7:07d}"

    def card(self, region: str) -> str:
        return f"{region[:2]}{self.next_number():07d}"

    def birth(self, today: datetime.date, youngest: int, oldest: int) -> datetime.date:
        """A day of birth of somebody between two ages."""
        return today - datetime.timedelta(days=self.rng.randint(youngest * 366, oldest * 365))
