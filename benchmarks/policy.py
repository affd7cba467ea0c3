"""A hundred rules asked of one login, and recorded decisions decided again under two documents."""

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import insert

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.adapters.storage.tables import AuditRow, table_of
from auth_gateway.core.circumstances import Circumstances, risk_at
from auth_gateway.core.decision import Allow
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import parse
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.core.policy_verdict import verdict
from auth_gateway.flows.backtest import AT_A_TIME, Backtest
from benchmarks.report import Figure
from plumbing.database import Database

RULES, NETWORKS, EVALUATIONS, LINES = 100, 1_000, 5_000, 200_000
NOW = 1_757_000_000.0
FACTS = (
    b'{"path":"login","username":"ada","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0","country":"DE",'
    b'"asn":3320,"browser":"Firefox","os":"Linux","network_kind":"access","reasons":[{"code":"new_device","points":9.5,'
    b'"observed":"Firefox on Linux","usual":"Safari on macOS","text":"A device never seen."}],"new":["device"],'
    b'"factors":["totp"],"amr":["pwd"]}'
)


def measure(rounds: int) -> Iterator[Figure]:
    """Rules asked of a login that none of them is for, then a span replayed."""
    document, single = document_of(RULES), document_of(1)
    pairs = [(asked_us(document), asked_us(single)) for _ in range(rounds)]
    yield Figure(
        f"{RULES} rules and {NETWORKS} networks asked", "µs a login", "one rule",
        [ours for ours, _ in pairs], [base for _, base in pairs], "≤ 100 µs", more_is_better=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        yield replayed(Path(folder), rounds, LINES)


def document_of(rules: int) -> PolicyDocument:
    """As many rules, each for somebody and somewhere else."""
    networks = ", ".join(f'"10.{number // 256}.{number % 256}.0/24"' for number in range(0, 2 * NETWORKS, 2))
    text = f'[networks]\nmany = [{networks}]\n[groups]\nfew = ["zoe"]\n' + "".join(
        f'[[rule]]\nname = "r{number}"\nthen = "deny"\nwhen = {{ '
        + ("network = 'many'", "group = 'few'", "country = 'KP', login_risk = '>= 70'")[number % 3]
        + " }\n"
        for number in range(rules)
    )
    return parse(text.encode(), Policy())


def asked_us(document: PolicyDocument) -> float:
    """Microseconds for one login."""
    now = Circumstances(
        path="login", client_id="web", username="ada", ip="198.51.100.9", country="DE", login_risk=risk_at(12.0)
    )
    built_in, policy = Allow("low"), Policy()
    began = time.process_time()
    for _ in range(EVALUATIONS):
        verdict(document, now, built_in, policy=policy)
    return (time.process_time() - began) / EVALUATIONS * 1e6


def replayed(folder: Path, rounds: int, lines: int) -> Figure:
    """Lines a second, beside reading them alone."""
    database = open_storage(f"sqlite:///{folder}/gateway.db")
    try:
        fill(database, lines)
        backtest = Backtest(database=database, decisions=StoredDecisions(), policy=Policy(), present=document_of(10))
        ours, base = [], []
        for _ in range(rounds):
            base.append(lines / read_seconds(database))
            began = time.perf_counter()
            tally = backtest(document_of(20), since=0.0, until=NOW * 2)
            ours.append(lines / (time.perf_counter() - began))
            assert tally.outcomes("candidate", "login").total == lines
    finally:
        database.close()
    return Figure("recorded logins decided again", "a second", "reading them alone", ours, base, "")


def read_seconds(database: Database) -> float:
    """Seconds to read every line."""
    began, after, log = time.perf_counter(), 0, StoredDecisions()
    while True:
        piece = database.read(partial(log.between, after=after, since=0.0, until=NOW * 2, most=AT_A_TIME))
        if not piece:
            return time.perf_counter() - began
        after = piece[-1].place


def fill(database: Database, lines: int) -> None:
    """As many logins, all alike."""
    known = {
        "kind": "login.allowed", "user_id": "id-ada", "client_id": "web", "session_id": "s", "ip": "198.51.100.9",
        "decision": "allow", "rule": "low", "score": 12.0, "level": "low", "model_version": "m", "incident_id": None,
        "detail": "new_device", "facts": FACTS, "waits": None,
    }  # fmt: skip
    with database.engine.begin() as connection:
        for start in range(0, lines, 10_000):
            rows = [{**known, "event_id": f"evt_{n}", "ts": NOW + n} for n in range(start, start + 10_000)]
            connection.execute(insert(table_of(AuditRow)), rows)
