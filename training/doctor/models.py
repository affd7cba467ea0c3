"""The signing key, the published model, the registry, the address tables: are they there, whole, signed, and recent?"""

import base64
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from risk_scorer.adapters.ip_facts import IpLookup
from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.model_store import BadPublicKey, public_keys, read_files
from risk_scorer.adapters.registry_places import BadPlace, PlaceAway
from risk_scorer.core.artefact import BadArtefact, load
from risk_scorer.core.model import Model
from risk_scorer.core.registry import ACTIVE, ALL_POINTERS, SESSION, SHADOW, Entry, Pointer, PointerName
from training.doctor.finding import Finding
from training.publish import public_bytes, read_key
from training.refusals import WrongInputError
from training.registry.desk import sound_of
from training.registry.journal import newest_pointer
from training.registry.lines import LOGINS, SESSIONS, Loaded
from training.reports import iso

DAY = 86_400
REMEDIES: dict[PointerName, str] = {
    ACTIVE: "risk-training promote active",
    SHADOW: "risk-training shadow shadow",
    SESSION: "risk-training promote active --kind session",
}
"""Acts that change nothing: each puts the pointers where the journal says before it looks what there is to do."""
OLD_TABLES_DAYS = 90
"""As the alert on `riskgate_ip_tables_age_seconds` has it."""


def signing_key(path: Path) -> Iterator[Finding]:
    """Is the key there, whole, nobody else's to read, and is the public half beside it its own?"""
    if not path.exists():
        yield Finding("note", "no_signing_key", f"there is no {path}", "nothing: the first `train` makes it")
        return
    try:
        key = read_key(path)
    except WrongInputError as fault:
        yield Finding("problem", fault.code, fault.message, "put the key back from its backup, or name it with --key")
        return
    if path.stat().st_mode & 0o077:
        yield Finding("problem", "key_exposed", f"others than its owner can use {path}", f"chmod 600 {path}")
    beside = path.with_suffix(".pub")
    if not beside.exists() or beside.read_bytes().strip() != base64.b64encode(public_bytes(key)):
        yield Finding(
            "problem", "public_key_differs", f"{beside} is not the public half of {path}", "`train` writes it anew"
        )
        return
    yield Finding("good", "signing_key", f"{path}, and its public half beside it")


def public_key(path: Path) -> Iterator[Finding]:
    """Is there a key that models are checked with?"""
    try:
        public_keys([str(path)])
    except BadPublicKey:
        if path.exists():
            yield Finding(
                "problem", "bad_public_key", f"{path} holds no Ed25519 public key", "name it with --public-key"
            )
        else:
            yield Finding(
                "note", "no_public_key", f"there is no {path}: no model is looked at", "as for the signing key"
            )
        return
    yield Finding("good", "public_key", str(path))


def model(model_dir: Path, public_key: Path, *, now: float, most_days: int) -> Iterator[Finding]:
    """Would the scorer take the published model, and how old is what it was trained on?"""
    try:
        found = load(read_files(model_dir), public_keys([str(public_key)]))
    except FileNotFoundError:
        yield Finding("note", "no_model", f"there is no signed model in {model_dir}", "risk-training train --input …")
    except BadArtefact as fault:
        yield Finding("problem", fault.code, f"the model in {model_dir}: {fault.message}", "train or publish it anew")
    except OSError as fault:
        yield Finding("problem", "model_unreadable", f"{model_dir}: {fault.strerror}", "let this account read it")
    else:
        yield Finding("good", "model", f"{found.version} in {model_dir}")
        yield from _libraries(found)
        yield _data_age(found, now=now, most_days=most_days)


def registry(address: str, public_key: Path, *, now: float, most_days: int) -> Iterator[Finding]:
    """Does the registry answer, is its journal whole and signed, and can the active model be used?"""
    try:
        opened = ModelRegistry.at(address, public_keys([str(public_key)]))
        count, journal = len(opened.versions()), opened.journal()
        if not count and not journal:
            yield Finding("note", "registry_empty", f"nothing is registered at {address}", "risk-training register …")
            return
        yield Finding("good", "registry", f"{count} versions at {address}, {len(journal)} entries in its journal")
        yield from _pointers(opened, journal, now=now, most_days=most_days)
    except BadPlace as fault:
        yield Finding("problem", "bad_registry", str(fault), "name a folder or an address with --registry")
    except PlaceAway as fault:
        yield Finding("problem", "registry_unavailable", f"{address} does not answer: {fault.strerror}", "look there")
    except (BadArtefact, FileNotFoundError) as fault:
        code = fault.code if isinstance(fault, BadArtefact) else "missing_file"
        yield Finding("problem", code, f"the registry at {address}: {fault}", "put it back from its backup")


def _pointers(opened: ModelRegistry, journal: list[Entry], *, now: float, most_days: int) -> Iterator[Finding]:
    for name in ALL_POINTERS:
        pointer = opened.pointer(name)
        due = newest_pointer(journal, name)
        if due is not None and (pointer is None or pointer.sequence != due.sequence):
            yield _lagging(name, pointer, due)
            continue
        if pointer is None or pointer.model_version is None:
            if name == ACTIVE:
                yield Finding("note", "no_active_model", "no version is in use", "risk-training promote VERSION")
            continue
        found, _ = sound_of(opened, pointer.model_version, SESSIONS if name == SESSION else LOGINS)
        since = f"{name} since {iso(pointer.at)}"
        yield Finding("good", f"{name}_model", f"{found.version}, {since}, put there by {pointer.by}")
        if name == ACTIVE:
            yield _data_age(found, now=now, most_days=most_days)


def _lagging(name: PointerName, pointer: Pointer | None, due: Pointer) -> Finding:
    """An act that was cut short leaves this for a moment; else somebody has put an old pointer in place."""
    stands = "there is no" if pointer is None else f"number {pointer.sequence} is put in place as the"
    seen = f"{stands} pointer {name}, and the journal has number {due.sequence}: scorers may refuse it"
    return Finding("problem", "pointer_lags", seen, f"{REMEDIES[name]}, which puts every pointer right")


def tables(*, now: float) -> Iterator[Finding]:
    """How old what is known about addresses is."""
    lookup = IpLookup.open()
    days = lookup.age_days(now)
    if days is None:
        code = lookup.problem.code if lookup.problem else "ip_table_missing"
        yield Finding("problem", code, "the address tables cannot be used", "risk-scorer tables build, or reinstall")
    elif days > OLD_TABLES_DAYS:
        yield Finding("note", "ip_data_old", f"the address tables are {days:.0f} days old", "risk-scorer tables build")
    else:
        yield Finding("good", "ip_data", f"the address tables are {days:.0f} days old")


def _data_age(found: Loaded, *, now: float, most_days: int) -> Finding:
    last = found.manifest.span.last
    days = (now - last) / DAY
    seen = f"{found.version} was trained on logins until {iso(last)}"
    if days < -1:
        return Finding("note", "data_in_future", f"{seen}, which is yet to come", "set this machine's clock")
    if days > most_days:
        return Finding(
            "note", "data_old", f"{seen}: {days:.0f} days ago, {most_days} are allowed", "train on newer ones"
        )
    return Finding("good", "data_age", seen)


def _libraries(found: Model) -> Iterator[Finding]:
    """Scores do not depend on them; whether a training repeats to the byte does."""
    differing = []
    for name, then in sorted(found.manifest.libraries.items()):
        try:
            now = version(name)
        except PackageNotFoundError:
            now = "none"
        if now != then:
            differing.append(f"{name} {then}, here {now}")
    if differing:
        yield Finding(
            "note", "libraries_differ", f"trained with {'; '.join(differing)}", "nothing, unless to repeat it"
        )
