"""Values that sign-ins have in common: how they are named and found, and what their sign-ins come to."""

from urllib.parse import unquote

import pytest

from risk_scorer.core.console.entity import can_be_asked, entity_of, guessed, path_of
from risk_scorer.core.console.entity_summary import hours_of, is_attack, notable, people_of, summary
from risk_scorer.core.console.hour_bars import BOX, HOURS, week_of
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import BadFilter

NOW = 1_760_000_000.0
DAY = 86_400.0
JA4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"
HOSTILE = '../"><img src=x>?a=b&c#d e\\f'


def row(number: int = 1, **given: object) -> SignIn:
    usual: dict[str, object] = {
        "seq": number, "ts": NOW - number, "event_id": f"e{number}", "user_id": "alice", "kind": "login",
        "level": "low", "score": 5.0, "ip": "203.0.113.7", "prefix": "203.0.113.0/24", "asn": 64500, "asn_name": "Net",
        "country": "DE", "region": "", "city": "Munich", "device_id": "d-1", "browser": "Firefox", "os": "Linux",
        "ja4": JA4, "reasons": "", "model_version": "", "dominant": "",
    }  # fmt: skip
    return SignIn(**{**usual, **given})  # type: ignore[arg-type]


MEANT = {
    "203.0.113.7": ("address", "203.0.113.7"),
    "203.0.113.9/24": ("address", "203.0.113.0/24"),
    "2001:DB8::1": ("address", "2001:db8::1"),
    "as64500": ("asn", "64500"),
    "64500": ("asn", "64500"),
    "de": ("country", "DE"),
    JA4: ("fingerprint", JA4),
    "laptop of Jane": ("device", "laptop of Jane"),
    HOSTILE: ("device", HOSTILE),
}


@pytest.mark.parametrize("typed", MEANT)
def test_what_is_typed_is_what_it_looks_like(typed: str) -> None:
    """And written in one way alone."""
    found = guessed(typed)
    assert (found.kind, found.value) == MEANT[typed]


BAD = (
    ("address", "203.0.113"), ("address", "203.0.113.0/16"), ("address", ""), ("asn", "-1"), ("asn", "4294967296"),
    ("country", "DEU"), ("device", "a\u202eb"), ("device", "a\0b"), ("device", "x" * 257), ("planet", "earth"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_what_is_none_is_refused(kind: str, value: str) -> None:
    """Before anything is looked up."""
    with pytest.raises(BadFilter):
        entity_of(kind, value)


@pytest.mark.parametrize("value", [HOSTILE, "203.0.113.0/24", "%2e%2e", "a b", "ü/../x"])
def test_a_value_is_one_part_of_its_address(value: str) -> None:
    """Nothing in it ends the part, and nothing is lost."""
    part = path_of("device", value).removeprefix("/dashboard/entities/device/")
    assert not set(part) & set('/?#"<> \\')
    assert unquote(part) == value


def test_dots_that_a_browser_would_take_away_stand_in_the_query() -> None:
    """`..` as a part of a path leads elsewhere, however it is quoted."""
    assert path_of("device", "..") == "/dashboard/entities/device/?value=.."


def test_what_no_filter_can_ask_for_has_no_page() -> None:
    """A link would lead to a refusal."""
    assert not any(map(can_be_asked, ("", " a", "a\nb", "x" * 257)))
    assert can_be_asked("a b")


ATTACKS = (
    (True, {"level": "high"}),
    (True, {"decision": "deny"}),
    (True, {"verdict": "confirmed_compromised"}),
    (False, {"level": "high", "verdict": "confirmed_safe"}),
    (False, {"level": "medium", "decision": "challenge"}),
)


@pytest.mark.parametrize(("expected", "given"), ATTACKS)
def test_an_attack_is_of_high_risk_refused_or_confirmed(expected: bool, given: dict[str, str]) -> None:
    """Unless somebody looked, and it was the person."""
    assert is_attack(row(**given)) is expected


def test_counts_are_those_of_each_span_and_say_whether_they_are_all() -> None:
    """The newest within a day count three times; beyond the rows that were looked at nothing is claimed."""
    rows = [row(1, level="high", decision="deny"), row(2), row(3, ts=NOW - 2 * DAY), row(4, ts=NOW - 8 * DAY)]
    told = summary(rows, now=NOW, is_all=False)
    assert told.signed_in.counts == (2, 3, 4)
    assert told.attacks.counts == (1, 1, 1)
    assert told.shares == (0.5, 1 / 3, 0.25)
    assert told.is_whole == (True, True, False)
    levels = dict(told.groups)["Level"]
    assert [(line.words, line.counts) for line in levels] == [("low", (1, 2, 3)), ("high", (1, 1, 1))]
    assert told.browsers == (("Firefox on Linux", 4),)
    assert summary([], now=NOW, is_all=True).shares == (None, None, None)


def test_people_stand_in_the_order_of_their_newest_sign_in() -> None:
    """With how often they came, and the place that a next page goes on from."""
    rows = [row(1, user_id="bob"), row(2), row(3, user_id="bob", level="high")]
    assert [(each.user_id, each.sign_ins, each.attacks, each.place.seq) for each in people_of(rows)] == [
        ("bob", 2, 1, 1),
        ("alice", 1, 0, 2),
    ]


def test_a_week_is_drawn_hour_by_hour_within_its_box() -> None:
    """The last hour is the rightmost bar, and the highest as high as the box."""
    rows = [row(1), row(2), row(3, ts=NOW - 3600.0), row(4, ts=NOW - 8 * DAY)]
    drawn = week_of(hours_of(rows, now=NOW), now=NOW)
    assert len(drawn) == HOURS
    assert [each.count for each in drawn[-2:]] == [1, 2]
    assert sum(each.count for each in drawn) == 3
    assert drawn[-1].bar.height == BOX[1]
    assert drawn[-1].began == NOW - 3600.0
    assert all(each.bar.x >= 0 and each.bar.x + each.bar.width <= BOX[0] for each in drawn)


def test_notable_is_what_most_attacks_have_in_common() -> None:
    """Then most people; what is unknown, or could not be asked for, is left out."""
    rows = [
        row(1, level="high", ip="198.51.100.1", device_id=""),
        row(2, level="high", user_id="bob", ip="198.51.100.1", device_id="a\nb"),
        row(3, level="medium", country=""),
        row(4, level="medium", user_id="carol", asn=0),
    ]
    found = notable(rows, most=1)
    assert [(each.value, each.attacks, each.people) for each in found["address"]] == [("198.51.100.1", 2, 2)]
    assert [(each.value, each.name) for each in found["asn"]] == [("64500", "Net")]
    assert [(each.value, each.people) for each in found["device"]] == [("d-1", 2)]
