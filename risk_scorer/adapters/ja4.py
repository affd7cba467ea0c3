"""Which TLS clients are known by which JA4: a small table of facts that anyone may replace.

Source of the packaged table: FoxIO's JA4 mapping (BSD-3-Clause, see NOTICE). It ages: a fingerprint that is not in it
says nothing, except that browsers keep their list of ciphers for years, so that list alone still names the browser.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Self

from risk_scorer.adapters.recent_values import RecentValues
from risk_scorer.contract.ja4 import LONGEST_JA4, parse
from risk_scorer.core.facts import NO_FINGERPRINT_FACTS, FingerprintFacts
from risk_scorer.core.fingerprint import BETWEEN_CLIENTS

PACKAGED = Path(__file__).resolve().parent.parent / "data" / "ja4_clients.csv"
COLUMNS = ["ja4", "client", "kind", "library"]
KINDS = frozenset({"browser", "library", "program", "malware"})
REMEMBERED = 16_384


class BadClientTable(Exception):
    """The table of known clients cannot be read; the text names the line."""


class Client(NamedTuple):
    """One known client of a fingerprint; `kind` is browser, library, program or malware."""

    name: str
    kind: str


class Fingerprints:
    """Facts about JA4 texts, with a bounded memory. Safe to share between threads."""

    def __init__(self, clients: dict[str, frozenset[Client]]) -> None:
        self._clients = clients
        self._by_ciphers = _browsers_by_ciphers(clients)
        self._recent: RecentValues[FingerprintFacts] = RecentValues(REMEMBERED)

    @classmethod
    def open(cls, path: Path = PACKAGED) -> Self:
        """The clients in a CSV file with the columns ja4, client, kind, library. Raises BadClientTable."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadClientTable(f"{path.name} cannot be read as text") from error
        return cls(_read(lines, path.name))

    def facts(self, ja4: str) -> FingerprintFacts:
        """What the text says and whose it is known to be; of junk, nothing. Never raises."""
        if len(ja4) != LONGEST_JA4:
            return NO_FINGERPRINT_FACTS
        return self._recent.get(ja4) or self._recent.keep(ja4, self._looked_up(ja4))

    def _looked_up(self, ja4: str) -> FingerprintFacts:
        parts = parse(ja4)
        if parts is None:
            return NO_FINGERPRINT_FACTS
        known = self._clients.get(ja4, frozenset())
        # Malware built on a common library shakes hands like every program built on it: that alone accuses nobody.
        harmless = {client.name for client in known if client.kind != "malware"}
        names = harmless or {client.name for client in known}
        return FingerprintFacts(
            parses=True,
            tls_version=parts.tls_version,
            alpn=parts.alpn,
            client=BETWEEN_CLIENTS.join(sorted(names)) or self._by_ciphers.get(parts.cipher_hash),
            is_malicious=bool(known) and not harmless,
        )


def _read(lines: Iterable[str], name: str) -> dict[str, frozenset[Client]]:
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line and not line.startswith("#")]
    rows = csv.reader(line for _, line in numbered)
    if next(rows, None) != COLUMNS:
        raise BadClientTable(f"{name}: the first line must be {','.join(COLUMNS)}")
    clients: dict[str, frozenset[Client]] = {}
    for (number, _), row in zip(numbered[1:], rows, strict=False):
        if len(row) != len(COLUMNS) or parse(row[0]) is None or not row[1] or row[2] not in KINDS:
            raise BadClientTable(f"{name}, line {number}: not a JA4 with client, kind and library")
        clients[row[0]] = clients.get(row[0], frozenset()) | {Client(row[1], row[2])}
    return clients


def _browsers_by_ciphers(clients: dict[str, frozenset[Client]]) -> dict[str, str]:
    """The hashes of cipher lists that one browser has and no other known client."""
    owners: dict[str, set[Client]] = {}
    for ja4, known in clients.items():
        parts = parse(ja4)
        if parts is not None:
            owners.setdefault(parts.cipher_hash, set()).update(known)
    return {
        ciphers: next(iter(known)).name
        for ciphers, known in owners.items()
        if len(known) == 1 and next(iter(known)).kind == "browser"
    }
