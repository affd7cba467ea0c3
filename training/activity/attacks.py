"""Sessions in which somebody else acts, or a person against the rules. Each says its kind; its own steps are marked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from training.activity.acting import Acting, Hand, begun, hand_of
from training.activity.calendar import DAY_SECONDS, weekday
from training.activity.event import Change, Session, opaque
from training.activity.people import STARTS, Person, person, place_in, software
from training.activity.services import PRIVILEGES, STEPS, WAYS
from training.activity.sessions import act, ordinary_length, whereabouts
from training.simulator.browsers import GO_JA4
from training.simulator.chance import Chance
from training.simulator.people import fresh_id
from training.simulator.world import load_world

BOTS, PROXIES, VISITS = 12, 12, 2
"""A campaign: so many accounts, each behind a proxy of its own, each coming so many times."""
CREEPS = 7
"""So many sessions does slow creep take, on as many days where there are so many."""
SHARES: Mapping[str, float] = {
    "stolen_session": 0.16, "night_export": 0.10, "privilege_escalation": 0.10, "privilege_creep": 0.10,
    "service_pivot": 0.10, "enumeration": 0.08, "scraping_burst": 0.08, "token_sharing": 0.08, "rhythm_bot": 0.06,
    "campaign": 0.14,
}  # fmt: skip
"""Of all attack sessions."""
SESSIONS_A_CASE: Mapping[str, int] = {"privilege_creep": CREEPS, "campaign": BOTS * VISITS}
_EXPORTS = ("GET /crm/export", "GET /docs/{id}/file", "GET /reports/{id}/export", "GET /billing/invoices/{id}/pdf")
_ADMIN_STEPS = (
    "GET /admin/users", "GET /admin/users/{id}", "POST /admin/users/{id}/roles", "GET /admin/settings",
    "POST /admin/export",
)  # fmt: skip
_HIDEOUTS = ("proxy", "hosting", "vpn")
_THIEVES = ("chrome_windows", "firefox_windows", "chrome_mac", "edge_windows")
_BOT_BEATS = (("POST /accounts/verify", "GET /portal/home"), ("POST /promo/redeem", "GET /portal/notifications"))


@dataclass(frozen=True, slots=True)
class Case:
    """One attack: its kind and number. Everything else follows from the seed."""

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What an attack is drawn in."""

    seed: int
    people: int
    days: int


def sessions_of(case: Case, setting: Setting) -> Iterator[tuple[float, Callable[[], Session]]]:
    """When each session of the case begins, and what writes it; the same whenever it is asked for."""
    for part in range(SESSIONS_A_CASE.get(case.kind, 1)):
        moment = _moment(case, part, setting)
        yield moment, lambda part=part, moment=moment: _written(case, part, moment, setting)  # type: ignore[misc]


def _written(case: Case, part: int, moment: float, setting: Setting) -> Session:
    chance = Chance(f"{setting.seed}/activity/attack/{case.kind}/{case.number}/{part}")
    who = _victim(case, part, setting)
    day = int((moment - STARTS) // DAY_SECONDS)
    session_id = opaque(setting.seed, "attack", case.kind, case.number, part)
    acting = begun(who, session_id, moment, seed=setting.seed, day=day, chance=chance)
    acting.session.kind, acting.session.is_attack = case.kind, True
    acting.session.case = opaque(setting.seed, "case", case.kind, case.number)
    device, place = whereabouts(who, moment, chance)
    _WRITERS[case.kind](acting, hand_of(who, device, place, moment), who, (case.number, part, setting.seed))
    return acting.session


def _case_chance(case: Case, setting: Setting) -> Chance:
    return Chance(f"{setting.seed}/activity/case/{case.kind}/{case.number}")


def _victim(case: Case, part: int, setting: Setting) -> Person:
    """Somebody who was there before; a campaign's accounts are new ones, which nobody else uses."""
    chance = _case_chance(case, setting)
    if case.kind == "campaign":
        made = person(setting.people + case.number * BOTS + part % BOTS, setting.seed, setting.days)
        return replace(made, role="support", next_role=None, on_call_days=(), joined_day=-1.0)
    for _ in range(200):
        found = person(chance.below(setting.people), setting.seed, setting.days)
        if found.joined_day < 0 and found.activity > 0.6 and found.role != "admin" and found.next_role is None:
            return found
    return found


def _moment(case: Case, part: int, setting: Setting) -> float:
    """In the last two thirds of the log, so that there is something usual before; each kind at its hours."""
    chance = _case_chance(case, setting).of("when")
    if case.kind == "privilege_creep":
        first, last = setting.days * 0.3, setting.days - 1.0
        day = first + (last - first) * (part / CREEPS)
    else:
        day = chance.between(setting.days / 3, max(setting.days / 3, setting.days - 1))
    if case.kind == "campaign":
        later = chance.of(part % BOTS).between(0, 1_800) + part // BOTS * 7_200
        return round(STARTS + day * DAY_SECONDS + later, 3)
    offset = _victim(case, part, setting).city.utc_offset_hours
    own = chance.of(part)
    hour = own.between(1.0, 4.5) if case.kind == "night_export" else own.between(9, 18)
    begins = STARTS + int(day) * DAY_SECONDS + (hour - offset) % 24 * 3600
    if weekday(int(begins // DAY_SECONDS)) >= 5 and case.kind == "privilege_creep":
        begins -= 2 * DAY_SECONDS
    return round(max(begins, STARTS + setting.days / 4 * DAY_SECONDS), 3)


def _stranger(acting: Acting, own: Hand, *, beat: float = 0.0) -> Hand:
    """Another browser on a rented network, with the session that was copied."""
    chance = acting.chance
    world = load_world()
    place = place_in(chance.pick(world.of(chance.pick(_HIDEOUTS))), chance)
    browser = chance.pick(_THIEVES)
    day = int((acting.moment - STARTS) // DAY_SECONDS)
    agent, ja4 = software(browser, 1 + chance.below(60), day)
    mimics = chance.happens(0.4)
    return Hand(
        place, own.device_id, "desktop", own.user_agent if mimics else agent, GO_JA4 if mimics else ja4,
        2.5, beat, 1.2, hostile=True,
    )  # fmt: skip


def _stolen(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """The owner works; meanwhile somebody with the copied token looks around and exports."""
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=max(3, ordinary_length(acting.chance)))
    thief = _stranger(acting, hand)
    acting.moment += acting.chance.between(5, 900)
    for _ in range(6 + acting.chance.below(20)):
        acting.go(thief, acting.chance.weighted((*_EXPORTS, "GET /crm/customers/{id}"), (3, 3, 2, 1, 2)))


def _night_export(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """From the own device at home, at an hour that the person never works, very much is taken along."""
    device = who.desktop or who.phone
    at_home = replace(hand_of(who, device, who.home, acting.moment), hostile=True)
    acting.go(at_home, "POST /login")
    for _ in range(12 + acting.chance.below(30)):
        acting.go(at_home, acting.chance.weighted(_EXPORTS, (4, 4, 3, 1)), size=acting.chance.between(2, 8))


def _escalation(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """In the midst of a session the person has the administrator's role, and uses it at once."""
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=max(2, ordinary_length(acting.chance) // 2))
    roles, privileges = (*acting.roles, "admin"), (*acting.privileges, *PRIVILEGES["admin"][:2])
    change = Change(acting.roles, roles, acting.privileges, privileges)
    acting.roles, acting.privileges = roles, privileges
    hostile = replace(hand, hostile=True)
    acting.go(hostile, "GET /admin/users", change=change)
    for _ in range(4 + acting.chance.below(12)):
        acting.go(hostile, acting.chance.pick(_ADMIN_STEPS))


def _creep(acting: Acting, hand: Hand, who: Person, where: tuple[int, int, int]) -> None:
    """One more privilege each time that nobody in the role has, a little used; no single step is large."""
    foreign = [each for role in PRIVILEGES if role != who.role for each in PRIVILEGES[role]]
    wanted = [each for each in dict.fromkeys(foreign) if each not in PRIVILEGES[who.role]]
    wanted = Chance(f"{where[2]}/activity/creep/{where[0]}").some(wanted, CREEPS)
    before = (*acting.privileges, *wanted[: where[1]])
    after = (*before, *wanted[where[1] : where[1] + 1])
    acting.privileges = before
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=max(2, ordinary_length(acting.chance) // 2))
    change = Change(acting.roles, acting.roles, before, after)
    acting.privileges = after
    hostile = replace(hand, hostile=True)
    area = after[-1].split(":")[0]
    steps = [name for name in _steps_of(area) if name.startswith("GET")] or ["GET /portal/home"]
    acting.go(hostile, steps[0], change=change)
    for _ in range(1 + acting.chance.below(3)):
        acting.go(hostile, acting.chance.pick(steps))


def _pivot(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """Within one trace, from a usual service on into those that the person has nothing to do with."""
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=max(2, ordinary_length(acting.chance) // 2))
    own = {name for way in WAYS[who.role] for name in way}
    foreign = [
        area for area in ("payments", "admin", "hr", "deploy", "repo", "billing") if not own & set(_steps_of(area))
    ]
    hostile = replace(hand, hostile=True, pace_seconds=1.0)
    for turn in range(2 + acting.chance.below(3)):
        trace = opaque(acting.session.session_id, "pivot", turn)[:12]
        for area in acting.chance.some(foreign, 4):
            acting.go(hostile, acting.chance.pick(_steps_of(area)), trace=trace)


def _enumeration(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """One number after the other is tried, most of which are not there or not allowed."""
    hostile = replace(hand, hostile=True, pace_seconds=1.2)
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=2)
    name = acting.chance.pick(("GET /billing/invoices/{id}", "GET /hr/people/{id}", "GET /crm/customers/{id}"))
    first = acting.chance.below(9_000)
    for turn in range(30 + acting.chance.below(60)):
        status = acting.chance.weighted((404, 403, 200), (60, 25, 15))
        acting.go(hostile, name, item=float(first + turn), status=float(status))


def _scraping(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """Everything that may be read is read, as fast as the server gives it."""
    hostile = replace(hand, hostile=True, pace_seconds=0.7)
    acting.go(hand, "POST /login")
    act(acting, hand, who, steps=2)
    usual = {name for way in WAYS[who.role] for name in way}
    name = acting.chance.pick(sorted(each for each in usual if "{id}" in each and each.startswith("GET")))
    for turn in range(120 + acting.chance.below(180)):
        acting.go(hostile, name, item=float(1 + turn))


def _sharing(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """Several people in several places use one token at once, each with a browser of their own."""
    world = load_world()
    others = []
    for _turn in range(2 + acting.chance.below(3)):
        network = acting.chance.pick(world.of("home", acting.chance.pick(world.cities).name))
        agent, ja4 = software(acting.chance.pick(_THIEVES), 1 + acting.chance.below(40), 0)
        place = place_in(network, acting.chance)
        others.append(replace(hand, place=place, user_agent=agent, ja4=ja4, hostile=True))
    acting.go(hand, "POST /login")
    names = [name for way in WAYS[who.role] for name in way]
    for turn in range(14 + acting.chance.below(30)):
        acting.go(hand if turn < 3 else acting.chance.pick([hand, *others]), acting.chance.pick(names))


def _rhythm(acting: Acting, hand: Hand, who: Person, _: object) -> None:
    """A program on the person's own machine goes the usual ways, evenly and without a pause."""
    machine = replace(hand, hostile=True, beat_seconds=acting.chance.between(2.0, 9.0))
    acting.go(machine, "POST /login")
    way = acting.chance.pick(sorted(way for way in WAYS[who.role] if len(way) > 1))
    for turn in range(50 + acting.chance.below(120)):
        acting.go(machine, way[turn % len(way)])


def _campaign(acting: Acting, hand: Hand, who: Person, where: tuple[int, int, int]) -> None:
    """A bot of many: a new account, its own proxy, and everybody's fingerprint and rhythm."""
    case, part, seed = where
    shared = Chance(f"{seed}/activity/campaign/{case}")
    proxies = shared.some(load_world().of("proxy"), PROXIES)
    beat = shared.between(3.0, 6.0)
    agent, _ = software("chrome_windows", 30, 0)
    own = Chance(f"{seed}/activity/campaign/{case}/{part % BOTS}")
    place = place_in(proxies[part % len(proxies)], own)
    device = fresh_id("bot", seed, case, part % BOTS)
    bot = Hand(place, device, "desktop", agent, GO_JA4, beat, beat, 1.0, hostile=True)
    way = shared.pick(_BOT_BEATS)
    acting.go(bot, "POST /login")
    for turn in range(16 + acting.chance.below(8)):
        status = 409.0 if turn % 2 == 0 and acting.chance.happens(0.3) else 200.0
        acting.go(bot, way[turn % 2], status=status)


def _steps_of(area: str) -> list[str]:
    return [name for name, step in STEPS.items() if step.service == area]


_WRITERS: Mapping[str, Callable[[Acting, Hand, Person, tuple[int, int, int]], None]] = {
    "stolen_session": _stolen, "night_export": _night_export, "privilege_escalation": _escalation,
    "privilege_creep": _creep, "service_pivot": _pivot, "enumeration": _enumeration, "scraping_burst": _scraping,
    "token_sharing": _sharing, "rhythm_bot": _rhythm, "campaign": _campaign,
}  # fmt: skip
