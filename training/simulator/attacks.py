"""Logins by people who are not the user: takeover, stuffing, spraying, session theft. Each row carries its label."""

from collections.abc import Callable, Mapping, Sequence

from training.simulator.browsers import BROKEN_JA4S, GO_JA4, PROGRAMS, PYTHON_JA4, Signature, signature
from training.simulator.chance import Chance
from training.simulator.days import Login
from training.simulator.people import Person, fresh_id
from training.simulator.world import DAY_SECONDS, SPAN_DAYS, SPAN_ENDS, SPAN_STARTS, Network, World

SHARES: Mapping[str, float] = {"stuffing": 0.40, "spraying": 0.24, "takeover": 0.24, "session_theft": 0.12}
_COMMON_BROWSERS = ("chrome_windows", "chrome_windows", "edge_windows", "firefox_windows", "chrome_android")
_STUFFING_SUCCESS = 0.04
_SPRAYING_SUCCESS = 0.01
_CAMPAIGNS = 4


def attacks(
    count: int, *, people: Sequence[Person], honest: Sequence[Login], world: World, chance: Chance
) -> list[Login]:
    """Exactly `count` hostile rows. `honest` are the rows whose cookies a thief may steal."""
    makers: Mapping[str, Callable[[int, Chance], list[Login]]] = {
        "stuffing": lambda size, own: _stuffing(size, people, world, own),
        "spraying": lambda size, own: _spraying(size, people, world, own),
        "takeover": lambda size, own: _takeovers(size, people, world, own),
        "session_theft": lambda size, own: _thefts(size, honest, world, own),
    }
    sizes = {label: int(count * share) for label, share in SHARES.items()}
    sizes["stuffing"] += count - sum(sizes.values())
    return [row for label, size in sizes.items() for row in makers[label](size, chance.of(label))]


def _stuffing(size: int, people: Sequence[Person], world: World, chance: Chance) -> list[Login]:
    """Leaked pairs tried by a program through rented machines and other people's lines; many names do not exist."""
    rows = []
    sources = [*world.of("hosting"), *world.of("proxy"), *world.of("proxy")]
    starts = [chance.between(3, SPAN_DAYS - 1) for _ in range(_CAMPAIGNS)]
    for number in range(size):
        network = chance.pick(sources)
        known = chance.happens(0.6)
        user_id = chance.pick(people).user_id if known else f"mail{chance.below(90_000)}"
        day = starts[number % _CAMPAIGNS] + chance.between(0, 0.2)
        rows.append(
            Login(
                _moment(day),
                user_id,
                network.address(chance.below(1000)),
                network,
                _machine(day, chance),
                "" if chance.happens(0.7) else fresh_id(chance.path, number),
                success=known and chance.happens(_STUFFING_SUCCESS),
                label="stuffing",
            )
        )
    return rows


def _spraying(size: int, people: Sequence[Person], world: World, chance: Chance) -> list[Login]:
    """One common password tried slowly on everybody, from a few hosts and Tor exits."""
    hosts = chance.some(world.of("hosting"), 3) + chance.some(world.of("tor"), 6)
    rows = []
    starts = [chance.between(3, SPAN_DAYS - 8) for _ in range(3)]
    for number in range(size):
        network = chance.pick(hosts)
        day = starts[number % 3] + chance.between(0, 6)
        rows.append(
            Login(
                _moment(day),
                chance.pick(people).user_id,
                network.address(chance.below(3)),
                network,
                _machine(day, chance),
                "",
                success=chance.happens(_SPRAYING_SUCCESS),
                label="spraying",
            )
        )
    return rows


def _takeovers(size: int, people: Sequence[Person], world: World, chance: Chance) -> list[Login]:
    """Somebody with the right password: from anywhere, from the victim's country, or through a VPN or Tor exit."""
    rows: list[Login] = []
    while len(rows) < size:
        victim = chance.pick(people)
        day = chance.between(max(8.0, victim.days[0] + 3), SPAN_DAYS - 0.1)
        network = _hideout(victim, world, chance)
        device = fresh_id(chance.path, len(rows))
        software = signature(chance.pick(_COMMON_BROWSERS), day=day, lag_days=chance.between(1, 90), language="enus")
        for _ in range(min(1 + chance.below(3), size - len(rows))):
            first_try = chance.happens(0.85)
            ip = network.address(chance.below(200))
            rows.append(
                Login(_moment(day), victim.user_id, ip, network, software, device, success=first_try, label="takeover")
            )
            day = min(
                day + (chance.between(0.001, 0.01) if not first_try else chance.between(0.02, 1.5)), SPAN_DAYS - 0.01
            )
    return rows


def _hideout(victim: Person, world: World, chance: Chance) -> Network:
    country = victim.city.country
    kind = chance.weighted(("proxy", "near", "vpn", "tor", "hosting"), (34, 24, 18, 10, 14))
    if kind == "near":
        cities = [city.name for city in world.cities if city.country == country]
        return chance.pick(world.of("home", chance.pick(cities)))
    if kind == "vpn":
        return chance.pick([exit_ for exit_ in world.of("vpn") if exit_.country == country] or world.of("vpn"))
    return chance.pick(world.of(kind))


def _thefts(size: int, honest: Sequence[Login], world: World, chance: Chance) -> list[Login]:
    """A stolen cookie replayed: the victim's browser by name, another machine's handshake, another network."""
    rows = []
    bait = [row for row in honest if row.success and row.software.ja4 and row.device_id]
    for _ in range(size):
        stolen = chance.pick(bait)
        network = chance.pick([*world.of("proxy"), *world.of("hosting"), *world.of("vpn")])
        theirs = stolen.software
        replayed = Signature(theirs.user_agent, chance.pick((GO_JA4, PYTHON_JA4, theirs.ja4)), theirs.ja4h, theirs.ja4s)
        rows.append(
            Login(
                min(stolen.moment + 60 + chance.below(6 * 3600), SPAN_ENDS - 1),
                stolen.user_id,
                network.address(chance.below(200)),
                network,
                replayed,
                stolen.device_id,
                label="session_theft",
            )
        )
    return rows


def _machine(day: float, chance: Chance) -> Signature:
    """What an attacking program shows: itself, a browser's name over its own handshake, or a broken fingerprint."""
    if chance.happens(0.35):
        return chance.pick(PROGRAMS)
    browser = signature(chance.pick(_COMMON_BROWSERS), day=day, lag_days=40, language="enus")
    ja4 = chance.weighted((GO_JA4, PYTHON_JA4, browser.ja4, chance.pick(BROKEN_JA4S), ""), (30, 20, 25, 17, 8))
    return Signature(browser.user_agent, ja4, browser.ja4h if ja4 else "", browser.ja4s if ja4 else "")


def _moment(day: float) -> int:
    return min(SPAN_STARTS + int(day * DAY_SECONDS), SPAN_ENDS - 1)
