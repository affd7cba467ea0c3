"""What views share: veiled addresses, words of time, cells that no spreadsheet runs, ways back, pictures."""

import csv
import io
import json

import pytest

from risk_scorer.contract.assessment import Reason
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.chips import chips, code_of, with_words, words_of
from risk_scorer.core.console.export import LIST_ENDS, csv_cell, csv_line, row_of_json
from risk_scorer.core.console.moments import moment, span_words
from risk_scorer.core.console.operator import Operator, reaches
from risk_scorer.core.console.pictures import bars, line, round_above, sparkline
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.way_back import way_back
from risk_scorer.core.reasons import CODES

NOW = 1_760_000_000.0
ON, OFF = Veil(is_on=True), Veil(is_on=False)


@pytest.mark.parametrize(
    ("text", "veiled", "network"),
    [
        ("203.0.113.77", "203.0.113.•", "203.0.113.0/24"),
        ("2001:db8:7:1::9", "2001:db8:7:•", "2001:db8:7::/48"),
        ("::1", "::•", "::/48"),
        ("::ffff:203.0.113.77", "203.0.113.•", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80:•", "fe80::/48"),
        ("alice", "alice", "alice"),
        ("", "", ""),
    ],
)
def test_an_address_is_veiled_to_its_network(text: str, veiled: str, network: str) -> None:
    """The last octet, the last 80 bits; what is none stays, and so does everything while the veil is off."""
    assert (ON.address(text), ON.subject(text)) == (veiled, network)
    assert (OFF.address(text), OFF.subject(text), OFF.text(text)) == (text, text, text)


@pytest.mark.parametrize(
    ("text", "veiled"),
    [
        ("from 203.0.113.77, before 198.51.100.9.", "from 203.0.113.•, before 198.51.100.•."),
        ("net 203.0.113.0/24 and 2001:db8:7:1::9/64", "net 203.0.113.•/24 and 2001:db8:7:•/64"),
        ("at 12:30:05 by version 1.2.3", "at 12:30:05 by version 1.2.3"),
        ("(203.0.113.77)", "(203.0.113.•)"),
    ],
)
def test_addresses_within_a_text_are_veiled(text: str, veiled: str) -> None:
    """Wherever they stand; times and versions are none."""
    assert ON.text(text) == veiled


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "now"), (59.0, "59 s ago"), (60.0, "1 min ago"), (3599.0, "59 min ago"), (3600.0, "1 h ago"),
        (86_399.0, "23 h ago"), (86_400.0, "1 d ago"), (30 * 86_400.0, "2025-09-09"), (-120.0, "in 2 min"),
    ],
)  # fmt: skip
def test_a_moment_is_told_from_now_and_exactly(seconds: float, words: str) -> None:
    """Both sides of each unit; the exact time has its zone."""
    told = moment(NOW - seconds, now=NOW)
    assert told.ago == words
    assert told.exact.endswith(" UTC")
    assert told.iso.endswith("+00:00")


def test_a_span_is_told_in_its_unit() -> None:
    """As long as it takes to read."""
    assert [span_words(each) for each in (5.0, 90.0, 5400.0, 180_000.0)] == ["5 s", "2 min", "1.5 h", "2.1 d"]


HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "|calc", "%0", "＝1", "\u3000=1", '"=1', "\u202e=1"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text: str) -> None:
    """A spreadsheet reads what comes first in it; numbers of ours stay numbers."""
    [[read]] = csv.reader(io.StringIO(csv_cell(text)))
    assert read.lstrip()[:1] not in set("=+-@\t\r|%＝＋－＠")
    assert "\n" not in read
    assert csv_cell(-1.5) == "-1.5"
    assert csv_cell(None) == ""


def test_a_file_is_read_back_as_it_was_written() -> None:
    """Quotation marks, commas and other scripts; JSON as one list, also of nothing."""
    rows: list[dict[str, str | int | float | None]] = [{"a": 'x "y", z', "b": 7}, {"a": "Zoë", "b": None}]
    text = "".join(csv_line(row.values()) for row in rows)
    assert list(csv.reader(io.StringIO(text))) == [['x "y", z', "7"], ["Zoë", ""]]
    pieces = [row_of_json(row, is_first=row is rows[0]) for row in rows]
    assert json.loads(b"".join(pieces) + LIST_ENDS[False]) == rows
    assert json.loads(LIST_ENDS[True]) == []


def test_addresses_leave_out_what_is_empty_and_hold_any_text() -> None:
    """A name of the query may be any, and half of a surrogate pair is no error."""
    assert address("/p") == address("/p", a="", b=None) == "/p"
    assert address("/p", path="x&y", n=0, who="\ud800é") == "/p?path=x%26y&n=0&who=%3F%C3%A9"
    assert path_part("a/b?\ud800") == "a%2Fb%3F%3F"


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example", "//evil.example", "/\\evil", "/dashboard/../operator", "/dashboard//evil",
        "javascript:1", "/dashboardish", "/operator/sign-out", "", None, "/dashboard/\n", "/dashboard?" + "x" * 3000, "http://[",
    ],
)  # fmt: skip
def test_a_way_back_is_a_page_of_the_console(text: str | None) -> None:
    """Everything else is the overview."""
    assert way_back(text) == "/dashboard"
    assert way_back("/dashboard/sign-ins?user=a%20b") == "/dashboard/sign-ins?user=a%20b"


def test_a_stronger_role_may_what_a_weaker_one_may() -> None:
    """And nobody without one may anything."""
    assert [reaches(role, "analyst") for role in (None, "reader", "analyst", "admin")] == [False, False, True, True]


@pytest.mark.parametrize(
    ("way", "level", "age", "fresh"),
    [
        ("gateway", "aal2", 900.0, True),
        ("gateway", "aal2", 900.5, False),
        ("gateway", "aal1", 0.0, False),
        ("gateway", "phr", 0.0, True),
        ("link", "", 900.0, True),
        ("link", "", 900.5, False),
        ("gateway", "aal2", -5.0, False),
    ],
)
def test_a_proof_is_fresh_for_a_quarter_of_an_hour(way: str, level: str, age: float, fresh: bool) -> None:
    """With a second factor, or by a link; one from the future is none."""
    operator = Operator(
        name="mara", role="admin", way="link" if way == "link" else "gateway", proved_at=NOW - age, level=level,
        is_masked=False, form_token="x",
    )  # fmt: skip
    assert operator.is_fresh(NOW) is fresh


def test_pictures_stay_in_their_box() -> None:
    """Of one value, of equal ones, of none, and of what is no number."""
    assert sparkline([]) == sparkline([float("nan")]) == ""
    assert sparkline([1.0, 2.0], width=10.0, height=10.0) == "0.00,9.00 10.00,1.00"
    assert sparkline([5.0], width=10.0, height=10.0) == "0.00,9.00"
    assert [bar.height for bar in bars([0.0, 5.0, 10.0], width=30.0, height=20.0)] == [0.0, 10.0, 20.0]
    assert bars([], width=1.0, height=1.0) == ()
    assert [round_above(each) for each in (0.0, 1.0, 1.1, 7.0, 20.0, 21.0, 0.03)] == [1, 1, 2, 10, 20, 50, 0.05]
    chart = line([0.0, 3.0], width=10.0, height=10.0)
    assert chart.points == "0.00,10.00 10.00,4.00"
    assert chart.ticks[-1] == (5.0, 0.0)


def test_reasons_become_chips_without_their_baseline() -> None:
    """In words, with their points, as loud as they weigh; a relief is one."""
    given = [
        Reason(code=code, points=points, observed="", usual="", text="a\u202eb")
        for code, points in (("new_device", 15.0), ("rare_asn", 5.0), ("hour", 1.0), ("known", -2.0), ("baseline", 3.0))
    ]
    made = chips(given)
    assert [chip.words for chip in made] == ["new device", "rare network operator", "unusual hour", "known"]
    assert [chip.weight for chip in made] == ["heavy", "middling", "light", "relief"]
    assert made[0].text == "a\\u{202e}b"


@pytest.mark.parametrize("code", CODES)
def test_every_reason_is_found_by_the_words_that_a_page_shows(code: str) -> None:
    """No two are called the same, and the code itself is understood as well."""
    assert code_of(words_of(code).upper()) == code_of(code) == code
    assert not {"ja4", "ja4h", "ja4s", "asn", "ip", "os"} & set(words_of(code).split())


def test_codes_within_a_sentence_become_words() -> None:
    """Ids of things, which have other signs as well, stay as they are."""
    assert with_words("84: new_ja4, rare_ip of cmp_9aB") == "84: new TLS fingerprint, rare address of cmp_9aB"
