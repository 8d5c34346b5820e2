"""The whole population of a seed, in memory: the cast, families of several shapes, those whose applications wait."""

import datetime
import random

from portal.seeding import cast, institutions, visits
from portal.seeding.cases import STAGES
from portal.seeding.families import SHARES, Builder, Family, waiting

WAITING_REGIONS = ["310000", "110000"]
# What the cast lives lately are the examples (bills paid in cash, purchases of yesterday); a movement that was booked before
# them would stand below earlier ones.
EXAMPLES = datetime.timedelta(days=13)
# Fewer people than this have only one region's applications.
SMALL = 200


def families(members: int, seed: int, start: datetime.date, today: datetime.date) -> list[Family]:
    """Families of about so many people; the same seed on the same day gives the same."""
    rng = random.Random(seed)
    builder = Builder(rng, start, today)
    made = cast.families(builder)
    for region in WAITING_REGIONS if members >= SMALL else WAITING_REGIONS[:1]:
        for stage in STAGES:
            family = builder.family(region, waiting)
            family.stage = stage
            made.append(family)
    # One of each region first, so that a small population knows all four.
    regions = list(SHARES)
    while sum(len(family.people) for family in made) < members:
        made.append(builder.family(regions.pop() if regions else None))
    for family in made:
        until = today - EXAMPLES if cast.has_examples(family) else today
        visits.plan(family, rng, institutions.by_region(), start, until)
    return made
