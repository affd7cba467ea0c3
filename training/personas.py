"""The persona simulator: a whole sample log from a number of rows and a seed, the same bytes every time."""

import collections
import csv
import datetime
import io
from collections.abc import Sequence
from pathlib import Path

from training.outputs import replaced_whole
from training.refusals import WrongInputError
from training.simulator import known_people
from training.simulator.attacks import attacks
from training.simulator.chance import Chance
from training.simulator.days import Login, logins
from training.simulator.people import Person, person
from training.simulator.world import load_world

_CONTEXT = ("timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "region", "city")
COLUMNS = (*_CONTEXT, "ja4", "ja4h", "ja4s", "asn", "ip_rep", "label")
MIN_ROWS, MAX_ROWS = 500, 5_000_000
_ROWS_PER_PERSON = 56
_ATTACK_SHARE = 0.025
_KNOWN_SHARES = {"alice": 0.006, "bob": 0.0075}


def simulate(rows: int, seed: int) -> list[Login]:
    """Exactly `rows` logins in order of time. Raises WrongInputError("bad_row_count") outside 500 to 5,000,000."""
    if not MIN_ROWS <= rows <= MAX_ROWS:
        raise WrongInputError("bad_row_count", f"rows must be between {MIN_ROWS} and {MAX_ROWS}, not {rows}")
    world, chance = load_world(), Chance(f"riskgate/{seed}")
    crowd = [person(number, world=world, chance=chance.of("person", number)) for number in range(1, _crowd_size(rows))]
    people = [known_people.alice(world), known_people.bob(world), *crowd]
    hostile = int(rows * _ATTACK_SHARE)
    honest: list[Login] = []
    for somebody, count in zip(people, _shares(people, rows - hostile), strict=True):
        honest.extend(logins(somebody, count, world=world, chance=chance.of("life", somebody.user_id)))
    bait = [row for row in honest if row.user_id not in _KNOWN_SHARES]
    table = honest + attacks(hostile, people=crowd, honest=bait, world=world, chance=chance.of("attacks"))
    return sorted(table, key=lambda row: (row.moment, row.user_id))


def counts_by_label(table: Sequence[Login]) -> dict[str, int]:
    """How many rows are honest, and how many of each attack there are."""
    return dict(sorted(collections.Counter(row.label or "honest" for row in table).items()))


def write_csv(table: Sequence[Login], path: Path) -> None:
    """The log as CSV, whole or not at all. Raises WrongInputError("unwritable_output")."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_cells(row) for row in table)
    with replaced_whole(path) as draft:
        draft.write_text(text.getvalue(), encoding="utf-8", newline="")


def _crowd_size(rows: int) -> int:
    return max(12, rows // _ROWS_PER_PERSON)


def _shares(people: Sequence[Person], rows: int) -> list[int]:
    """How many rows each person gets: by activity and by time of membership, exactly `rows` together."""
    fixed = [int(rows * _KNOWN_SHARES.get(somebody.user_id, 0)) for somebody in people]
    weights = [
        0.0
        if somebody.user_id in _KNOWN_SHARES
        else somebody.activity * (somebody.days[1] - max(0.0, somebody.days[0]))
        for somebody in people
    ]
    left, scale = rows - sum(fixed), sum(weights)
    counts = [share + int(left * weight / scale) for share, weight in zip(fixed, weights, strict=True)]
    for place in range(rows - sum(counts)):
        counts[2 + place % (len(people) - 2)] += 1
    return counts


def _cells(row: Login) -> list[str]:
    moment = datetime.datetime.fromtimestamp(row.moment, datetime.UTC)
    network, software = row.network, row.software
    return [
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.user_id,
        row.ip,
        software.user_agent,
        row.device_id,
        "true" if row.success else "false",
        network.country,
        network.region,
        network.city,
        software.ja4,
        software.ja4h,
        software.ja4s,
        str(network.asn),
        f"{network.reputation:.1f}",
        row.label,
    ]
