import datetime

from django.db import migrations

# One promise a line; pages number them.
TEXT_ZH = """所填亲属关系真实，对方是本人的近亲属，双方身份信息准确无误。
本人自愿让对方使用本人职工医保个人账户里可以共济的余额。对方在定点医药机构看病、买药时，先用自己的钱，不够的部分才由本人账户支付；本人另外选择的，还可以为对方缴纳医保费。
账户里的钱用掉多少，以定点医药机构的结算为准。每用一次，本人和对方都会收到消息。
本人可以随时登录或到窗口设置上限、暂停或者解除共济；当地对最短期限另有规定的，从其规定。解除以后，已经结算的账单不变。
亲属关系发生变化，或者一方不再参保、去世、转到外地参保的，及时办理解除。
以上内容如有不实，本人退回已经使用的金额，并依法承担责任。"""

TEXT_EN = """The relation stated is true: this person is a near relative of mine, and the particulars of both of us are right.
Of my own free will I let this person use the part of my personal account that may be shared. At designated hospitals and pharmacies their own money pays first, and my account pays what is missing; where I have chosen so, it also pays their insurance premiums.
What is used follows from the settlements of the designated institutions. Each time, both of us are told.
I can set a limit, pause or end the sharing at any time, online or at a window, unless the region prescribes a shortest time. Bills already settled stay as they are.
If we are no longer related, or if one of us is no longer insured, dies or moves to another region, I have the sharing ended without delay.
If any of this is untrue, I pay back what was used and answer for it under the law."""


def add(apps, schema_editor):
    apps.get_model("family", "Commitment").objects.get_or_create(
        version="1",
        # The day the sharing of accounts was opened (国办发〔2021〕14号): what is entered later for an earlier day has a text too.
        defaults={"text_zh": TEXT_ZH, "text_en": TEXT_EN, "valid_from": datetime.date(2021, 4, 22)},
    )


class Migration(migrations.Migration):
    dependencies = [("family", "0002_why_ended_and_paused")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
