"""Sharing as it is applied for: grants of the past year, and applications that wait at each stage today."""

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.enums import Channel, Relation
from accounts.models import Member, ServiceCentre, User
from casework.actions import cases
from family import queries
from family.actions import grants, invitations, sharing
from family.domain.check import Terms
from family.models import SharingApplication
from portal.seeding import staff
from portal.seeding.families import Bind, Family

SHANGHAI_TIME = ZoneInfo("Asia/Shanghai")
STAGES = ["draft", "consent", "review", "review", "review", "returned", "refused", "withdrawn", "expired", "granted"]


def at(day: datetime.date, hour: int, minute: int = 0) -> datetime.datetime:
    """A moment of a day."""
    return datetime.datetime.combine(day, datetime.time(hour, minute), SHANGHAI_TIME)


def bind(family: Family, wanted: Bind) -> None:
    """From the application to the grant, online where both have logins, else at the window with a second check."""
    grantor, beneficiary = _member(family, wanted.grantor), _member(family, wanted.beneficiary)
    terms = Terms(limit=wanted.limit)
    first, second = _login(grantor), _login(beneficiary)
    if first is None:
        application = at_window(grantor, beneficiary, wanted.relation, wanted.on, family.region, terms)
    else:
        application = sharing.apply(
            grantor=grantor,
            beneficiary=beneficiary,
            relation=wanted.relation,
            by=first,
            at=at(wanted.on, 9, family.number % 60),
            commitment=queries.commitment_on(wanted.on),
            terms=terms,
        )
        if application.case.state == "consent":
            application = _agree(application, second, wanted.on, family.region)
    if application.case.state == "review":
        cases.decide(case=application.case, verb="approve", by=staff.supervisor(family.region), at=at(wanted.on, 15))


def _agree(
    application: SharingApplication, relative: User | None, on: datetime.date, region: str
) -> SharingApplication:
    if relative is not None:
        return invitations.consent(application=application, by=relative, at=at(on, 12))
    return invitations.consent(application=application, by=staff.clerk(region), at=at(on, 12), channel=Channel.WINDOW)


def at_window(
    grantor: Member, beneficiary: Member, relation: str, on: datetime.date, region: str, terms: Terms | None = None
) -> SharingApplication:
    """A clerk hands in for the grantor and has the relative's consent on paper: it then waits for the second check."""
    clerk = staff.clerk(region)
    application = sharing.apply(
        grantor=grantor,
        beneficiary=beneficiary,
        relation=relation,
        by=clerk,
        at=at(on, 10),
        commitment=queries.commitment_on(on),
        terms=terms,
        channel=Channel.WINDOW,
        centre=ServiceCentre.objects.filter(region=region).first(),
    )
    if application.case.state == "consent":
        application = _agree(application, None, on, region)
    return application


def bring_to(family: Family, today: datetime.date) -> None:
    """Bring the application of a family to the stage at which it is shown."""
    doing = {"cast": _invitations, "order": _order}.get(family.stage, _stage)
    doing(family, today)


def _stage(family: Family, today: datetime.date) -> None:
    """The parent without a login of `families.waiting`; the stage is named after the state it ends in."""
    stage, region = family.stage, family.region
    grantor, parent = _member(family, 0), _member(family, 1)
    day = today - datetime.timedelta(days=1 + family.number % 9)
    if stage in ("draft", "consent", "withdrawn", "expired"):
        if stage == "expired":
            day = today - datetime.timedelta(days=45)
        _online(stage, grantor, parent, day)
        return
    application = at_window(grantor, parent, Relation.PARENT, day, region)
    judge, moment = staff.supervisor(region), at(min(day + datetime.timedelta(days=1), today), 9)
    if stage == "returned":
        cases.decide(case=application.case, verb="return", by=judge, at=moment, note="户口簿复印件看不清，请重新上传")
    elif stage == "refused":
        cases.decide(case=application.case, verb="refuse", by=judge, at=moment, note="所交材料不能证明亲属关系")
    elif stage == "granted":
        cases.decide(case=application.case, verb="approve", by=judge, at=moment)


def _online(stage: str, grantor: Member, parent: Member, day: datetime.date) -> None:
    user = _login(grantor)
    assert user is not None
    facts = {"grantor": grantor, "beneficiary": parent, "relation": Relation.PARENT, "by": user, "at": at(day, 20)}
    if stage == "draft":
        sharing.draft(**facts)
        return
    application = sharing.apply(**facts, commitment=queries.commitment_on(day))
    if stage == "withdrawn":
        sharing.withdraw(application=application, by=user, at=at(day, 21))
    elif stage == "expired":
        invitations.expire(application=application, at=at(day + datetime.timedelta(days=31), 1))


def _invitations(family: Family, today: datetime.date) -> None:
    """The wife is invited by her brother; the member has a draft for her that would not succeed while she waits."""
    day = today - datetime.timedelta(days=2)
    wife, brother = _member(family, 1), _member(family, 5)
    sharing.apply(
        grantor=brother,
        beneficiary=wife,
        relation=Relation.SIBLING,
        by=_login(brother),
        at=at(day, 19),
        commitment=queries.commitment_on(day),
        terms=Terms(limit=Decimal("1000.00")),
    )
    member = _member(family, 0)
    sharing.draft(grantor=member, beneficiary=wife, relation=Relation.SPOUSE, by=_login(member), at=at(day, 20))


def _order(family: Family, today: datetime.date) -> None:
    """She put her brother first; the order page shows what her next bill would take from each."""
    her, on = _member(family, 0), today - datetime.timedelta(days=30)
    filed = [grant.pk for grant in queries.grants_to_order(her.pk, on)]
    grants.reorder(beneficiary=her, grant_ids=[*filed[-1:], *filed[:-1]], version=None, by=_login(her), at=at(on, 18))


def _member(family: Family, place: int) -> Member:
    return Member.objects.get(pk=family.people[place].member_id)


def _login(member: Member) -> User | None:
    return User.objects.filter(member=member).first()
