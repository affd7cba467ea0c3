"""What `list` and `show` tell of a registry."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.core.card import CARD, ModelCard
from risk_scorer.core.registry import ACTIVE, SHADOW, Entry
from risk_scorer.core.signatures import BadArtefact
from training.refusals import RefusedError
from training.registry.desk import card_in, is_registered, sound_of
from training.registry.gates import ALL
from training.registry.journal import NEWEST, newest_pointer, newest_registered
from training.registry.lines import LOGINS, Line
from training.reports import iso

Facts = dict[str, Any]


def listed(registry: ModelRegistry, line: Line = LOGINS) -> list[Facts]:
    """Every registered version of a kind, the newest first: its part, how good it says it is, who registered it.

    Raises BadArtefact for a journal that cannot be believed, PlaceAway.
    """
    journal = registry.journal()
    parts = _parts(journal, line)
    registered = (entry for entry in journal if entry.kind == "register" and entry.artefact == line.artefact)
    entries = {entry.model_version: entry for entry in reversed(list(registered))}
    newest = sorted(entries.values(), key=lambda entry: -entry.sequence)
    return [_row(registry, entry, parts, line) for entry in newest]


def _parts(journal: list[Entry], line: Line) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in reversed(line.pointers):
        pointer = newest_pointer(journal, name)
        if pointer is not None and pointer.model_version is not None:
            found[pointer.model_version] = ACTIVE if name == line.pointer else name
    return found


def _row(registry: ModelRegistry, entry: Entry, parts: dict[str, str], line: Line) -> Facts:
    version = entry.model_version or ""
    row: Facts = {
        "model_version": version,
        "state": parts.get(version, "registered"),
        "registered_at": iso(entry.at),
        "by": entry.by,
    }
    try:
        card = _quick_card(registry, version, line)
    except (FileNotFoundError, BadArtefact) as error:
        return {**row, "problem": error.code if isinstance(error, BadArtefact) else "missing_file"}
    return {**row, **_numbers(card), "problem": None}


def _quick_card(registry: ModelRegistry, version: str, line: Line) -> ModelCard:
    """The signed card without reading the big files."""
    return card_in({CARD: registry.signed_file(version, CARD, line.manifest)})


def _numbers(card: ModelCard) -> Facts:
    step_up, strangers = card.at("step_up"), card.strangers.get(ALL)
    return {
        "data_until": iso(card.span.last),
        "rows": card.rows.get("used", card.lineage.rows),
        "prompted_upper": None if step_up is None else step_up.upper,
        "strangers_caught": None if strangers is None else strangers.value,
    }


def list_lines(rows: list[Facts]) -> list[str]:
    """The versions as columns for people."""
    heads = ("version", "state", "data until", "prompted at most", "strangers caught", "registered", "by")
    cells = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(heads))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cells(row: Facts) -> tuple[str, ...]:
    shares = [row.get("prompted_upper"), row.get("strangers_caught")]
    told = ["" if share is None else f"{share:.2%}" for share in shares]
    state = row["state"] if row["problem"] is None else f"{row['state']}, {row['problem']}"
    return (row["model_version"], state, row.get("data_until", ""), *told, row["registered_at"], row["by"])


def version_named(registry: ModelRegistry, name: str, line: Line = LOGINS) -> str:
    """The version of a kind behind `active`, `shadow`, `newest` or its own name.

    Raises RefusedError("no_such_version"), BadArtefact.
    """
    journal = registry.journal()
    if name == NEWEST:
        newest = newest_registered(journal, line.artefact)
        if newest is None:
            raise RefusedError("no_such_version", "no version is registered")
        return newest
    if name == ACTIVE or name in line.pointers:
        pointer = newest_pointer(journal, SHADOW if name == SHADOW else line.pointer)
        if pointer is None or pointer.model_version is None:
            raise RefusedError("no_such_version", f"no version is {name}")
        return pointer.model_version
    if not is_registered(journal, name, line):
        raise RefusedError("no_such_version", f"{name} is not registered; `list` shows what is")
    return name


def shown(registry: ModelRegistry, name: str, line: Line = LOGINS) -> Facts:
    """Everything about a version, every file of it checked: its card, its part, and its journal."""
    version = version_named(registry, name, line)
    journal = registry.journal()
    model, card = sound_of(registry, version, line)
    return {
        "model_version": model.version,
        "kind": line.name,
        "state": _parts(journal, line).get(version, "registered"),
        "card": msgspec.to_builtins(card),
        "journal": [_line(entry) for entry in journal if entry.model_version == version],
    }


def _line(entry: Entry) -> Facts:
    return {
        "sequence": entry.sequence,
        "at": iso(entry.at),
        "kind": entry.kind,
        "by": entry.by,
        "reason": entry.reason,
        "overridden": list(entry.overridden),
        "findings": [msgspec.to_builtins(finding) for finding in entry.findings],
    }


_CALLED: Mapping[str, tuple[str, str]] = {
    "login": ("people's own logins", "strangers"), "session": ("harmless sessions", "attacks")
}  # fmt: skip
"""Who must not be asked, and who must, by the kind of model."""


def card_lines(facts: Facts) -> Iterator[str]:
    """A version as text for people."""
    card = facts["card"]
    harmless, hostile = _CALLED[facts["kind"]]
    yield f"{facts['model_version']}  {facts['state']}"
    yield f"trained on {iso(card['span']['first'])} to {iso(card['span']['last'])}, {card['lineage']['rows']:,} rows"
    for each in card["false_positives"]:
        yield (
            f"{each['mark']}: {_rate(each['rate'])} of {harmless}, upper bound {each['upper']:.3%},"
            f" budget {each['budget']:.3%}"
        )
    for name, found in card["strangers"].items():
        yield f"{hostile}, {name}: {_rate(found)} reach 60"
    for attribute, groups in card["groups"].items():
        for name, found in groups.items():
            yield f"prompted, {attribute} {name}: {_rate(found)}"
    yield from (f"not tested: {text}" for text in card["not_tested"])
    lineage = card["lineage"]
    yield f"data {lineage['data_sha256'][:16]}, code {lineage['code_version']} {lineage['code_sha256'][:16]}"
    if lineage["command"]:
        yield f"command {' '.join(lineage['command'])}"
    for line in facts["journal"]:
        over = f", overriding {', '.join(line['overridden'])}" if line["overridden"] else ""
        yield f"{line['sequence']}  {line['at']}  {line['kind']} by {line['by']}{over}: {line['reason'] or '-'}"


def _rate(found: Facts) -> str:
    return f"{found['count']} of {found['of']}, {found['value']:.2%} ({found['low']:.2%} to {found['high']:.2%})"
