"""A campaign as a drawing: its signals in the middle, its accounts on both sides, the heaviest edges between them.

The same edges make the same drawing. Every label has a line of its own and is cut to its width, so that none lies over
another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from risk_scorer.core.console.campaign_edges import Edge

MOST_EDGES: Final = 96
MOST_ACCOUNTS: Final = 24
MOST_SIGNALS: Final = 12
"""What one picture can show and still be read: two columns of a dozen accounts, a dozen signals."""
WIDTH: Final = 760.0
ROW: Final = 30.0
"""Between two accounts: a label of 13 units, and a target of 24 (WCAG 2.2, 2.5.8)."""
BOX_PITCH: Final = 52.0
BOX_WIDTH: Final = 220.0
BOX_HEIGHT: Final = 40.0
SIDE: Final = 168.0
"""Where the dots of the left accounts stand; their labels end before it."""
LEAST_WIDTH: Final = 1.0
MOST_WIDTH: Final = 5.0
ACCOUNT_UNITS: Final = 20
SIGNAL_UNITS: Final = 28
"""Signs that a label has room for: at 13 and 12 units a wide Latin letter is some 8 and 7.5 units wide."""


class AccountNode(Struct, frozen=True, kw_only=True):
    """An account's dot; its label stands left of it on the left side, else right."""

    account: str
    is_left: bool
    x: float
    y: float
    events: int


class SignalNode(Struct, frozen=True, kw_only=True):
    """A signal's box, from its upper left corner; `events` of the drawn accounts."""

    kind: str
    value: str
    x: float
    y: float
    accounts: tuple[tuple[str, int], ...]
    events: int


class Stroke(Struct, frozen=True, kw_only=True):
    """An edge as a curve; `width` grows with how often it was seen, `failed` when most of that failed."""

    path: str
    width: float
    edge: Edge
    is_failing: bool


class Graph(Struct, frozen=True, kw_only=True):
    """The drawing in a box of `width` by `height`, and what it was pruned from."""

    width: float
    height: float
    accounts: tuple[AccountNode, ...]
    signals: tuple[SignalNode, ...]
    strokes: tuple[Stroke, ...]
    edges_in_all: int
    accounts_in_all: int
    signals_in_all: int

    @property
    def is_pruned(self) -> bool:
        return len(self.strokes) < self.edges_in_all


def graph(edges: Sequence[Edge]) -> Graph:
    """The drawing of the heaviest of these edges."""
    drawn = _heaviest(edges)
    signals = _ordered({(each.kind, each.value) for each in drawn}, drawn)
    accounts = _accounts(drawn, signals)
    left = accounts[: (len(accounts) + 1) // 2]
    rows = max(len(left) * ROW, len(signals) * BOX_PITCH, ROW)
    nodes = {
        account: node
        for column in (left, accounts[len(left) :])
        for account, node in _column(column, rows, drawn, is_left=column is left).items()
    }
    boxes = {signal: _box(signal, at, len(signals), rows, drawn) for at, signal in enumerate(signals)}
    heaviest = max((each.events for each in drawn), default=1)
    return Graph(
        width=WIDTH,
        height=rows,
        accounts=tuple(nodes[account] for account in accounts),
        signals=tuple(boxes[signal] for signal in signals),
        strokes=tuple(
            _stroke(each, nodes[each.account], boxes[each.kind, each.value], heaviest) for each in reversed(drawn)
        ),
        edges_in_all=len(edges),
        accounts_in_all=len({each.account for each in edges}),
        signals_in_all=len({(each.kind, each.value) for each in edges}),
    )


def _heaviest(edges: Sequence[Edge]) -> list[Edge]:
    """The heaviest first, as far as there is room for them and for what they lie between."""
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for each in edges:
        shared[each.kind, each.value] += 1
    ranked = sorted(shared, key=lambda signal: (-shared[signal], signal))
    chosen, accounts = set(ranked[:MOST_SIGNALS]), set[str]()
    kept: list[Edge] = []
    for each in sorted(edges, key=lambda each: (-each.events, each.account, each.kind, each.value)):
        has_room = each.account in accounts or len(accounts) < MOST_ACCOUNTS
        if (each.kind, each.value) in chosen and has_room and len(kept) < MOST_EDGES:
            accounts.add(each.account)
            kept.append(each)
    return kept


def _ordered(signals: set[tuple[str, str]], drawn: Sequence[Edge]) -> list[tuple[str, str]]:
    """Signals of the same accounts beside each other: by how many they are, and by who is the first of them."""
    of_signal: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in drawn:
        of_signal[each.kind, each.value].append(each.account)
    return sorted(signals, key=lambda signal: (-len(of_signal[signal]), min(of_signal[signal]), signal))


def _accounts(drawn: Sequence[Edge], signals: Sequence[tuple[str, str]]) -> list[str]:
    """By the middle of what they are drawn to, so that few edges cross."""
    place = {signal: at for at, signal in enumerate(signals)}
    places: dict[str, list[int]] = defaultdict(list)
    for each in drawn:
        places[each.account].append(place[each.kind, each.value])
    middle = {account: sum(found) / len(found) for account, found in places.items()}
    # Every other one goes to the other side, so that both have all heights.
    ranked = sorted(middle, key=lambda account: (middle[account], account))
    return ranked[::2] + ranked[1::2]


def _column(accounts: Sequence[str], rows: float, drawn: Sequence[Edge], *, is_left: bool) -> dict[str, AccountNode]:
    pitch = rows / max(1, len(accounts))
    return {
        account: AccountNode(
            account=account,
            is_left=is_left,
            x=SIDE if is_left else WIDTH - SIDE,
            y=round((at + 0.5) * pitch, 2),
            events=max(each.events for each in drawn if each.account == account),
        )
        for at, account in enumerate(accounts)
    }


def _box(signal: tuple[str, str], at: int, count: int, rows: float, drawn: Sequence[Edge]) -> SignalNode:
    pitch = rows / max(1, count)
    shown = [(each.account, each.events) for each in drawn if (each.kind, each.value) == signal]
    return SignalNode(
        kind=signal[0],
        value=signal[1],
        x=(WIDTH - BOX_WIDTH) / 2,
        y=round((at + 0.5) * pitch - BOX_HEIGHT / 2, 2),
        accounts=tuple(sorted(shown, key=lambda each: (-each[1], each[0]))),
        events=sum(events for _, events in shown),
    )


def _stroke(edge: Edge, account: AccountNode, box: SignalNode, heaviest: int) -> Stroke:
    end_x = box.x if account.is_left else box.x + BOX_WIDTH
    end_y, bend = round(box.y + BOX_HEIGHT / 2, 2), (account.x + end_x) / 2
    return Stroke(
        path=f"M{account.x} {account.y} C{bend} {account.y} {bend} {end_y} {end_x} {end_y}",
        width=round(LEAST_WIDTH + (MOST_WIDTH - LEAST_WIDTH) * edge.events / heaviest, 2),
        edge=edge,
        is_failing=edge.failed * 2 > edge.events,
    )
