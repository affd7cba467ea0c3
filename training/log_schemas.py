"""The two schemas a login log may come in, as SQL that turns either into the same typed columns.

Only the columns named here are ever read. Labels (`Is Attack IP`, `Is Account Takeover`, `label`, `attack`) are not
among them, so no training can see one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from training.refusals import WrongInputError

REQUIRED = ("timestamp", "user_id", "ip")
TEXTS: Mapping[str, int] = {
    "user_id": 256,
    "ip": 64,
    "user_agent": 2048,
    "device_id": 256,
    "country": 128,
    "region": 128,
    "city": 128,
    "ja4": 256,
    "ja4h": 256,
    "ja4s": 256,
    "browser": 256,
    "os": 256,
    "device_type": 128,
    "probe": 64,
    "event_id": 128,
}
"""Text columns and the longest value the scoring service accepts in each."""

_EVENT_FIELDS = ("timestamp", "success", "asn", "ip_rep", "rtt_ms", *TEXTS)


@dataclass(frozen=True)
class Schema:
    """A name for people, the log's column for each of our fields, and the texts that mean "missing" in it."""

    name: str
    columns: Mapping[str, str]
    missing: tuple[str, ...]


RBA = Schema(
    name="RBA data set",
    columns={
        "timestamp": "Login Timestamp",
        "user_id": "User ID",
        "rtt_ms": "Round-Trip Time [ms]",
        "ip": "IP Address",
        "country": "Country",
        "region": "Region",
        "city": "City",
        "asn": "ASN",
        "user_agent": "User Agent String",
        "browser": "Browser Name and Version",
        "os": "OS Name and Version",
        "device_type": "Device Type",
        "success": "Login Successful",
        "probe": "Probe",
    },
    missing=("", "-"),
)
"""Source: Wiefling, Jørgensen, Thunem, Lo Iacono 2022, "Pump Up Password Security!", ACM TOPS 26(1)."""

LABEL = "label"
"""Where a log in our schema says what a row was. It is named here so that JSON keeps it; no field is read from it."""

EVENTS = Schema(name="login events", columns={field: field for field in _EVENT_FIELDS}, missing=("",))


def matching_schema(columns: Iterable[str]) -> tuple[Schema, dict[str, str]]:
    """The schema that `columns` satisfy, and the log's own spelling of each of its fields.

    Raises WrongInputError("unknown_columns") that lists what the nearest schema still lacks.
    """
    spelled = {name.strip().casefold(): name for name in columns}
    gaps: list[tuple[int, str]] = []
    for schema in (RBA, EVENTS):
        found = {
            field: spelled[name.casefold()] for field, name in schema.columns.items() if name.casefold() in spelled
        }
        lacking = [schema.columns[field] for field in REQUIRED if field not in found]
        if not lacking:
            return schema, found
        gaps.append((len(lacking), f"as {schema.name} the log lacks the columns {', '.join(lacking)}"))
    nearest = min(gaps)[0]
    raise WrongInputError("unknown_columns", "; ".join(text for size, text in gaps if size == nearest))


def require_distinct(columns: Iterable[str]) -> None:
    """Raises WrongInputError("unknown_columns") where two columns go by one name that is read: nobody can say which."""
    ours = {name.casefold() for schema in (RBA, EVENTS) for name in schema.columns.values()}
    counted = Counter(name.strip().casefold() for name in columns)
    twice = sorted(name for name, count in counted.items() if count > 1 and name in ours)
    if twice:
        raise WrongInputError("unknown_columns", f"the log names a column twice: {', '.join(twice)}")


def typed_columns(schema: Schema, found: Mapping[str, str]) -> str:
    """The SELECT list: one typed expression for each field of ours, empty or NULL where the log has no such column."""

    def raw(field: str) -> str:
        return f"CAST({_quoted(found[field])} AS VARCHAR)" if field in found else "CAST(NULL AS VARCHAR)"

    def text(field: str) -> str:
        blanks = ", ".join(f"'{blank}'" for blank in schema.missing)
        return f"CASE WHEN {raw(field)} IN ({blanks}) THEN '' ELSE coalesce({raw(field)}, '') END"

    selected = {field: text(field) for field in TEXTS}
    selected["moment"] = _moment(raw("timestamp"))
    selected["hour_clock"] = _hour_clock(raw("timestamp"))
    selected["success"] = truth_of(raw("success"))
    selected["success_given"] = f"{text('success')} <> ''"
    selected["asn"] = f"TRY_CAST(TRY_CAST(regexp_replace({raw('asn')}, '^(?i)as', '') AS DOUBLE) AS BIGINT)"
    selected["asn_given"] = f"{text('asn')} <> ''"
    selected["ip_rep"] = f"TRY_CAST({raw('ip_rep')} AS DOUBLE)"
    selected["rtt_ms"] = f"TRY_CAST({raw('rtt_ms')} AS DOUBLE)"
    selected["ip_is_plain_v4"] = f"regexp_full_match({text('ip')}, '{_PLAIN_V4}')"
    selected["fingerprint"] = f"hash({', '.join(raw(field) for field in found)})"
    return ", ".join(f"{expression} AS {name}" for name, expression in selected.items())


_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_V4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_MILLISECONDS_FROM = 1e11  # As seconds this would be the year 5138, so it is milliseconds.


def _moment(value: str) -> str:
    """Epoch seconds (UTC) of an ISO 8601 text, with or without an offset, or of an epoch number in s or ms."""
    number = f"TRY_CAST({value} AS DOUBLE)"
    seconds = f"CASE WHEN abs({number}) >= {_MILLISECONDS_FROM} THEN {number} / 1000 ELSE {number} END"
    return f"coalesce({seconds}, epoch(TRY_CAST({value} AS TIMESTAMPTZ)))"


def _hour_clock(value: str) -> str:
    """Seconds within the hour of a `mm:ss.s` text, which is all that some copies of the RBA data set keep."""
    pattern = r"'^([0-5]?[0-9]):([0-5][0-9](?:\.[0-9]+)?)$'"
    minutes = f"TRY_CAST(regexp_extract({value}, {pattern}, 1) AS DOUBLE)"
    return f"{minutes} * 60 + TRY_CAST(regexp_extract({value}, {pattern}, 2) AS DOUBLE)"


def truth_of(value: str) -> str:
    """SQL for a boolean that a log wrote as a word or a digit; NULL for anything else."""
    word = f"lower(trim({value}))"
    true, false = "('true', 't', 'yes', '1')", "('false', 'f', 'no', '0')"
    return f"CASE WHEN {word} IN {true} THEN true WHEN {word} IN {false} THEN false END"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
