"""What the sign-ins of an address, an ASN, a device, a fingerprint or a country come to: how many, how they were
decided, who they were of, and which of them were attacks. Of the rows alone that were looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from risk_scorer.core.console.entity import KINDS, Kind, can_be_asked, value_in
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import DECISIONS, LEVELS, OUTCOMES
from risk_scorer.core.console.sign_in_page import Cursor, place_of

HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
SPANS: Final = (("24 h", DAY), ("7 d", 7 * DAY), ("30 d", 30 * DAY))
LONGEST_SPAN: Final = SPANS[-1][1]
MOST_BROWSERS: Final = 6
NOT_TOLD: Final = "not told"


class Line(Struct, frozen=True):
    """One line of the table of counts: `words`, and how many in each of SPANS."""

    words: str
    counts: tuple[int, ...]


class Person(Struct, frozen=True, kw_only=True):
    """Who came with it; `place` is where their newest sign-in is."""

    user_id: str
    last_seen: float
    sign_ins: int
    attacks: int
    place: Cursor


class Summary(Struct, frozen=True, kw_only=True):
    """`looked` rows were looked at, the newest of 30 days, back to `since`; `is_whole` says for each of SPANS whether
    those are all."""

    looked: int
    since: float | None
    is_whole: tuple[bool, ...]
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    attacks: Line
    signed_in: Line
    people: tuple[Person, ...]
    browsers: tuple[tuple[str, int], ...]

    @property
    def shares(self) -> tuple[float | None, ...]:
        """What share of the sign-ins were attacks, for each of SPANS; None where there were none."""
        pairs = zip(self.attacks.counts, self.signed_in.counts, strict=True)
        return tuple(attacks / many if many else None for attacks, many in pairs)


class Notable(Struct, frozen=True, kw_only=True):
    """A value that many risky sign-ins have."""

    kind: Kind
    value: str
    name: str
    people: int
    sign_ins: int
    attacks: int
    last_seen: float


def is_attack(row: SignIn) -> bool:
    """Whether it is taken for one: of high risk, refused, or confirmed; what was confirmed to be fine is none."""
    if row.verdict == "confirmed_safe":
        return False
    return row.level == "high" or row.decision == "deny" or row.verdict == "confirmed_compromised"


def summary(rows: Sequence[SignIn], *, now: float, is_all: bool) -> Summary:
    """What these rows say, the newest first; `is_all` where there are no more within 30 days."""
    oldest = rows[-1].ts if rows else None
    groups: tuple[tuple[str, Callable[[SignIn], str], tuple[str, ...]], ...] = (
        ("Level", lambda row: row.level, LEVELS),
        ("Decision", lambda row: row.decision or NOT_TOLD, (*DECISIONS, NOT_TOLD)),
        ("Outcome", lambda row: row.outcome or NOT_TOLD, (*OUTCOMES, NOT_TOLD)),
    )
    return Summary(
        looked=len(rows),
        since=oldest,
        is_whole=tuple(is_all or (oldest is not None and oldest < now - seconds) for _, seconds in SPANS),
        groups=tuple((heading, _lines(rows, said, words, now)) for heading, said, words in groups),
        attacks=Line("attacks", _counted(rows, is_attack, now)),
        signed_in=Line("sign-ins", _counted(rows, lambda _: True, now)),
        people=people_of(rows),
        browsers=_browsers(rows),
    )


def people_of(rows: Iterable[SignIn]) -> tuple[Person, ...]:
    """Who they are of, whoever came last first."""
    newest: dict[str, SignIn] = {}
    many, attacks = Counter[str](), Counter[str]()
    for row in rows:
        newest.setdefault(row.user_id, row)
        many[row.user_id] += 1
        attacks[row.user_id] += is_attack(row)
    return tuple(
        Person(user_id=user, last_seen=row.ts, sign_ins=many[user], attacks=attacks[user], place=place_of(row))
        for user, row in newest.items()
    )


def hours_of(rows: Iterable[SignIn], *, now: float) -> dict[int, int]:
    """How many were how many whole hours ago."""
    return dict(Counter(int((now - row.ts) // HOUR) for row in rows if row.ts <= now))


def notable(rows: Sequence[SignIn], *, most: int) -> dict[Kind, tuple[Notable, ...]]:
    """For each kind the values that most attacks have, then most people."""
    return {kind: _notable(rows, kind, most) for kind in KINDS}


def _notable(rows: Sequence[SignIn], kind: Kind, most: int) -> tuple[Notable, ...]:
    of_value: dict[str, list[SignIn]] = {}
    for row in rows:
        value = value_in(row, kind)
        if can_be_asked(value):
            of_value.setdefault(value, []).append(row)
    found = [
        Notable(
            kind=kind,
            value=value,
            name=those[0].asn_name if kind == "asn" else "",
            people=len({row.user_id for row in those}),
            sign_ins=len(those),
            attacks=sum(map(is_attack, those)),
            last_seen=max(row.ts for row in those),
        )
        for value, those in of_value.items()
    ]
    found.sort(key=lambda each: (-each.attacks, -each.people, -each.sign_ins, each.value))
    return tuple(found[:most])


def _lines(
    rows: Sequence[SignIn], said: Callable[[SignIn], str], words: tuple[str, ...], now: float
) -> tuple[Line, ...]:
    def of(word: str) -> Line:
        return Line(word.replace("_", " "), _counted(rows, lambda row: said(row) == word, now))

    return tuple(line for line in map(of, words) if any(line.counts))


def _counted(rows: Sequence[SignIn], is_such: Callable[[SignIn], bool], now: float) -> tuple[int, ...]:
    times = [row.ts for row in rows if is_such(row)]
    return tuple(sum(ts >= now - seconds for ts in times) for _, seconds in SPANS)


def _browsers(rows: Sequence[SignIn]) -> tuple[tuple[str, int], ...]:
    names = (" on ".join(part for part in (row.browser, row.os) if part) or "unknown" for row in rows)
    return tuple(Counter(names).most_common(MOST_BROWSERS))
