"""Rows that a log may hold and should not, and the files that hold them. Which they are is chance, from a seed."""

import csv
import datetime
import io
import json
import random
from typing import Any

import pyarrow

FIELDS = ("timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "city", "ja4", "asn", "ip_rep")
VALUES: dict[str, tuple[str, ...]] = {
    "timestamp": (
        "2025-05-01T00:00:34Z", "2025-05-01T00:00:34Z", "2025-05-01 00:00:34", "2025-05-01T02:00:34+02:00",
        "1746057634", "1746057634.25", "1746057634250", "2025-02-30T00:00:00Z", "2025-05-01", "yesterday", "", "NaN",
        "inf", "1e400", "-1", "12:30", "2025-05-01T24:00:00Z", "2025-05-01T00:00:60Z", "1746057634f", "0x10", "epoch",
        "infinity", "20250501",
    ),
    "user_id": (
        "ann", "Ann", "ann ", "", "zoë", "zoe\u0308", "山田", "\U0001f600", 'o"hara', "a,b", "two\nlines", "null",
        "NULL", "NaN", "4.32E+18", "'; --", "\\N", "x" * 256, "x" * 257, "\ufffd", "-", "\u202eabc",
        "tab\tbed", "%s", "#1",
    ),
    "ip": (
        "203.0.113.7", "203.0.113.8", "198.51.100.9", "2001:db8::1", "2001:DB8:0::1", "::ffff:203.0.113.7", "256.1.1.1",
        "", "203.0.113.07", "localhost", "fe80::1%eth0", " 203.0.113.7", "3405803783",
    ),
    "user_agent": ("Mozilla/5.0 (X11; Linux x86_64)", "", "curl/8.9", 'say "hi"', "y" * 2049, "a\n\nb"),
    "device_id": ("d1", "d2", "", "δ", "D1"),
    "success": ("true", "false", "True", "1", "0", "yes", "no", " t ", "maybe", "", "F"),
    "country": ("DE", "de", "", "United States", "-"),
    "city": ("Köln", "Koln", "", "東京"),
    "ja4": ("t13d1516h2_8daaf6152771_02713d6af862", "", "x"),
    "asn": ("3320", "AS3320", "as3320", "3320.0", "-1", "4294967296", "nine", "", "1e3", "9" * 30),
    "ip_rep": ("3.5", "", "-1", "101", "NaN", "inf", "1_0", "5e-324", "12abc", "50%"),
}  # fmt: skip


def rows(chance: random.Random, size: int) -> list[dict[str, str]]:
    """So many rows; two in three have a good moment and address, so that something is left to compare."""
    found = []
    for _ in range(size):
        row = {name: chance.choice(VALUES[name]) for name in FIELDS}
        if chance.random() < 0.66:
            row |= {"timestamp": chance.choice(VALUES["timestamp"][:7]), "ip": chance.choice(VALUES["ip"][:6])}
            row |= {"success": chance.choice(VALUES["success"][:7])}
        found.append(row)
    return found


def csv_bytes(found: list[dict[str, str]], *, delimiter: str) -> bytes:
    """The rows as CSV, with records among them that are none: too short, much too long, no UTF-8, empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for place, row in enumerate(found):
        writer.writerow(row)
        if place % 50 == 0:
            text.write(f"short{delimiter}record\n")
        if place % 50 == 25:
            text.write(delimiter.join(["long"] * (len(FIELDS) + 2)) + "\n\n")
    broken = delimiter.join(
        ["2025-05-01T00:00:34Z", "\N{LATIN SMALL LETTER Y WITH DIAERESIS}", *["x"] * (len(FIELDS) - 2)]
    )
    return text.getvalue().encode() + broken.encode("latin-1") + b"\n"


def json_bytes(found: list[dict[str, str]], *, is_array: bool) -> bytes:
    """The rows as JSON: some values as numbers, truths and null; as lines, some of them are no JSON."""
    for place, row in enumerate(found):
        typed: dict[str, Any] = dict(row)
        typed |= {"timestamp": 1746057634 + place, "success": place % 2 == 0} if place % 3 == 0 else {}
        typed |= {"asn": 3320, "ip_rep": 12.5, "city": None} if place % 5 == 0 else {}
        found[place] = typed
    if is_array:
        return json.dumps(found, ensure_ascii=False).encode()
    lines = [json.dumps(row, ensure_ascii=place % 2 == 0) for place, row in enumerate(found)]
    lines[10:10] = ['{"timestamp": ', "not json"]
    return ("\n".join(lines) + "\n").encode()


def typed_table(chance: random.Random, size: int) -> Any:
    """The rows as columns with types: moments, numbers for ids and networks, NaN and null."""
    found = rows(chance, size)
    start = datetime.datetime(2025, 5, 1, tzinfo=datetime.UTC)
    moments = [start + datetime.timedelta(microseconds=chance.choice((0, 1, 250_000, 10**9))) for _ in found]
    columns: dict[str, Any] = {name: [row[name] or None for row in found] for name in FIELDS}
    columns["timestamp"] = pyarrow.array(
        [None if chance.random() < 0.1 else moment for moment in moments], pyarrow.timestamp("us", tz="UTC")
    )
    columns["user_id"] = pyarrow.array(
        [chance.choice((1.5, 4.32e18, 1e-7, 12.0, None)) for _ in found], pyarrow.float64()
    )
    columns["asn"] = pyarrow.array(
        [chance.choice((3320.0, float("nan"), None, 2.0**33)) for _ in found], pyarrow.float32()
    )
    columns["success"] = pyarrow.array([chance.choice((True, False)) for _ in found])
    columns["ip_rep"] = pyarrow.array([chance.choice((7, 101, None)) for _ in found], pyarrow.int16())
    columns["a.b `c`"] = ["not ours"] * size
    return pyarrow.table(columns)
