"""Tills at once on the same thing: the last fen of one relative; and one settlement that is reversed, corrected, asked for
again and settled a second time, all in the same moment."""

from collections.abc import Callable
from functools import partial

from faults import locks, places, reckoning, tills, told, web, world
from faults.outcome import Outcome
from faults.tills import Till, code_of
from faults.told import Line
from faults.unanswered import accounts

ROUNDS, CROWD = 8, 20
NewTill = Callable[[], Till]
# What meets in one moment: a reversal against another, against a second settlement, against corrections, and all of them.
RACES = [
    ["reverse", "reverse"],
    ["reverse", "settle again"],
    ["reverse", "correct"],
    ["correct", "correct"],
    ["correct", "same again", "settle again"],
    ["reverse", "reverse", "correct", "correct", "settle again", "settle again", "same again"],
]
# What may be said to who came second.
FAIR = {"duplicate", "already_reversed", "batch_settled", "msgid_corrected"}


def fight_for_the_last_fen(new_till: NewTill, many: int) -> tuple[list[str], list[list[int]]]:
    """So many tills, each with a bill of one fen of another person, on a relative with one fen to give. What is wrong,
    and the accounts."""
    grantor = world.insure("0.00", "5.01")
    others = [world.insure("0.00", "0.00") for _ in range(many)]
    for other in others:
        world.share(grantor, other)
    till = new_till()
    visits = [till.visit(patient, "0.01") for patient in tills.patients(others)]

    def pay(visit: tills.Visit) -> str:
        said = new_till().ok("2207", visit.bill)["setlinfo"]
        return f"{said['acct_mulaid_pay']} shared, {said['psn_cash_pay']} cash"

    outcomes = locks.at_once([partial(pay, visit) for visit in visits])
    expected = ["0.00 shared, 0.01 cash"] * (many - 1) + ["0.01 shared, 0.00 cash"]
    found = [] if sorted(outcomes) == expected else [f"of {many} tills they were told {sorted(set(outcomes))}"]
    return found, accounts([[grantor, *others]])


def one_way_out(new_till: NewTill, race: list[str]) -> tuple[list[str], list[list[int]]]:
    """One settlement, and everything in `race` at once upon it. What is wrong of the answers, and the accounts."""
    family = world.family(("60.37", "20.11"), ("0.00", "400.05"))
    till = new_till()
    visit = till.visit(tills.patients(family)[0], "120.07")
    msgid = till.msgid()
    first = till.ask("2207", visit.bill, msgid=msgid)
    assert first and not first["infcode"], first
    ways: dict[str, Callable[[], Line | None]] = {
        "reverse": lambda: new_till().ask(visit.reverses, tills.reversal(first)),
        "correct": lambda: new_till().ask("2601", tills.correction(visit, msgid)),
        "settle again": lambda: new_till().ask("2207", visit.bill),
        "same again": lambda: new_till().ask("2207", visit.bill, msgid=msgid),
    }
    answers: list[tuple[str, Line | None]] = []

    def act(name: str) -> str:
        answers.append((name, ways[name]()))
        return ""

    broken = [outcome for outcome in locks.at_once([partial(act, name) for name in race]) if outcome]
    return broken + _judge(race, answers, first), accounts([family])


def _judge(race: list[str], answers: list[tuple[str, Line | None]], first: Line) -> list[str]:
    """Exactly one took it back, whoever else was too late is told so, and the same msgid has the same answer."""
    found = [f"{race}: {name} got no answer" for name, answer in answers if answer is None]
    said = [(name, answer) for name, answer in answers if answer is not None]
    found += [
        f"{race}: the same msgid was told otherwise"
        for name, one in said
        if name == "same again" and one != first and not _came_after_correction(race, one)
    ]
    others = [(name, answer) for name, answer in said if name != "same again"]
    found += [
        f"{race}: {name} was answered {answer['err_msg']}"
        for name, answer in others
        if answer["infcode"] and code_of(answer) not in FAIR
    ]
    found += [
        f"{race}: a correction was refused" for name, one in others if name == "correct" and _too_harsh(race, one)
    ]
    back = [
        name for name, one in others if name in ("reverse", "correct") and not one["infcode"] and not one["warn_msg"]
    ]
    found += [] if len(back) == 1 else [f"{race}: taken back by {back}"]
    anew = [name for name, answer in others if name == "settle again" and not answer["infcode"]]
    return found + ([] if len(anew) <= 1 else [f"{race}: settled anew by {len(anew)}"])


def _came_after_correction(race: list[str], answer: Line) -> bool:
    return "correct" in race and bool(answer["infcode"]) and code_of(answer) == "msgid_corrected"


def _too_harsh(race: list[str], answer: Line) -> bool:
    """Where nothing but corrections met, each is told that nothing stands."""
    return bool(answer["infcode"]) and "reverse" not in race


def fights(new_till: NewTill, rounds: int, crowd: int) -> tuple[list[str], list[list[int]]]:
    """All of them, so many times."""
    found: list[str] = []
    families: list[list[int]] = []
    fens = [partial(fight_for_the_last_fen, new_till, many) for many in [2] * rounds + [crowd]]
    races = [partial(one_way_out, new_till, race) for _round in range(rounds) for race in RACES]
    for fight in [*fens, *races]:
        wrong, more = fight()
        found += wrong
        families += more
    return found, families


def tills_at_once() -> Outcome:
    """Over HTTP, against several processes."""
    places.fresh()
    shop, folder, numbers = tills.open_shop(), places.scratch("counters"), iter(range(10**6))
    with web.serve(places.scratch("counters-web"), world.at(world.LAST_DAY, 9)) as site:
        made: list[Till] = []

        def new_till() -> Till:
            log = told.Log(folder / f"till-{next(numbers)}.log")
            made.append(Till(shop, tills.Wire(site.address), log, lambda: site.ahead))
            return made[-1]

        found, families = fights(new_till, ROUNDS, CROWD)
    found += reckoning.check(told.read(folder), families, world.LAST_DAY)
    outcome = Outcome(
        f"{ROUNDS} times 2 and once {CROWD} tills on the last fen, {ROUNDS} times {len(RACES)} races on one settlement,"
        f" {sum(till.answers for till in made)} answers", found
    )  # fmt: skip
    outcome.require("the portal failed", not any(till.errors for till in made))
    outcome.require("a line was lost", not any(till.lost for till in made))
    return outcome
