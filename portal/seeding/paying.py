"""Premiums paid and given back and wallet transfers of the cast, through the real actions, as of the day the demo is made."""

import datetime

from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Member, User
from accounts.money import parse_amount
from portal.seeding import cast
from portal.seeding.register import registered
from settlements.actions import premiums, wallet
from settlements.domain.wallet import CLOSES, in_hours
from settlements.models import PremiumPayment

DAY = datetime.timedelta(days=1)
HALF_AN_HOUR = datetime.timedelta(minutes=30)


def came_back(now: datetime.datetime) -> None:
    """What the wife sent her brother two days ago: not accepted, and back since the morning after."""
    local = timezone.localtime(now)
    noon = datetime.datetime.combine(local.date() - 2 * DAY, datetime.time(12), local.tzinfo)
    wife, brother = registered(cast.WIFE), registered(cast.BROTHER_IN_LAW)
    _transfer(wife, brother, "sibling", "50.00", noon, accepted=False)
    wallet.return_overdue(at=noon + DAY)


def make(now: datetime.datetime) -> None:
    """The mother's money has been accepted, her uncle's waits, the daughter's premium is paid if the season is on, and the
    grandmother's was paid and given back (and can be tried)."""
    member, daughter = registered(cast.MEMBER), registered(cast.DAUGHTER)
    # It may have been yesterday evening, so before what is paid today.
    sent = in_time(now)
    _transfer(registered(cast.WIFE), member, "spouse", "300.00", in_time(sent - HALF_AN_HOUR), accepted=True)
    _transfer(registered(cast.BROTHER_IN_LAW), registered(cast.WIFE), "sibling", "120.00", sent, accepted=False)
    _premium(member, daughter, "student", now)
    mothers = _premium(member, registered(cast.MOTHER), "aged_60", now)
    if mothers is not None:
        premiums.refund(payment=mothers, on=timezone.localdate(now), by=User.objects.get(member=member), key="seed")


def _premium(payer: Member, insured: Member, group: str, now: datetime.datetime) -> PremiumPayment | None:
    on = timezone.localdate(now)
    by = User.objects.get(member=payer)
    try:
        premium, _window = premiums.premium_of(insured, group, now)
        return premiums.pay(payer=payer, insured=insured, premium=premium, on=on, key=f"seed {group}", by=by)
    except Refused:
        return None  # out of season, or by this seed the payer has spent it


def in_time(at: datetime.datetime) -> datetime.datetime:
    """The moment itself while transfers are taken, else the evening before it: before six that of the day before, from
    ten on that of the day. A transfer of then still waits."""
    if in_hours(at):
        return at
    local = timezone.localtime(at)
    day = local.date() if local.time() >= CLOSES else local.date() - datetime.timedelta(days=1)
    return datetime.datetime.combine(day, datetime.time(21, 45), local.tzinfo)


def _transfer(
    sender: Member, receiver: Member, relation: str, amount: str, at: datetime.datetime, *, accepted: bool
) -> None:
    by = User.objects.get(member=sender)
    wallet.open_wallet(member=sender, by=by, at=at)
    yuan = parse_amount(amount)
    try:
        made = wallet.transfer(
            sender=sender, receiver=receiver, amount=yuan, at=at, key=f"seed {at}", by=by, relation=relation
        )
    except Refused as refusal:
        if refusal.code != "insufficient_balance":
            raise
        return  # by this seed the sender has spent it
    if accepted:
        reader = User.objects.get(member=receiver)
        wallet.open_wallet(member=receiver, by=reader, at=at)
        wallet.accept(transfer=made, at=at, by=reader)
