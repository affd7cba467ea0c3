"""Dashboard, alerts, runbooks and code name the same things."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "riskgate.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "riskgate.json"
RUNBOOKS = ROOT / "docs" / "runbooks"
DOCUMENT = ROOT / "docs" / "observability.md"
PACKAGES = ("auth_gateway", "plumbing", "risk_scorer", "webhooks")
NAME = re.compile(r"(?<![:\w])riskgate_[a-z0-9_]+")
OF_A_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


@cache
def in_code() -> frozenset[str]:
    """Every metric that the code makes: a name of ours as the first argument of a call."""
    return frozenset(
        node.args[0].value
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and NAME.fullmatch(node.args[0].value)
    )


def named_in(text: str) -> set[str]:
    """The metrics of a text; a histogram by its own name."""
    known = in_code()
    return {name if name in known else OF_A_HISTOGRAM.sub("", name) for name in NAME.findall(text)}


def rules() -> list[dict[str, Any]]:
    groups = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[str]:
    return [rule["alert"] for rule in rules() if "alert" in rule]


def test_what_is_drawn_and_watched_is_counted() -> None:
    """A panel or an alert about a metric that nobody makes stays silent for ever."""
    queries = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    assert len(queries) >= 20
    texts = [*queries, *(rule["expr"] for rule in rules())]
    for expression in texts:
        assert named_in(expression) <= in_code(), expression
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for text in texts for name in re.findall(r"riskgate:\w+:\w+", text)}
    assert used <= recorded


def test_every_metric_is_documented_and_nothing_else() -> None:
    """The table and the code name the same ones."""
    section = DOCUMENT.read_text(encoding="utf-8").split("## Metrics", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in NAME.findall(row)} == in_code()


def test_metrics_are_told_in_base_units() -> None:
    """Seconds and shares, as Prometheus expects them."""
    wrong = re.compile(r"_(ms|milliseconds|minutes|hours|days|percent|kb)(_|$)")
    assert [name for name in sorted(in_code()) if wrong.search(name)] == []


def test_a_time_that_is_not_there_before_its_first_is_watched_for_that_too() -> None:
    """A comparison with what is not there says nothing, so the alert on the console's rows asks for its absence."""
    [late] = [rule["expr"] for rule in rules() if rule.get("alert") == "RiskgateSignInsLate"]
    assert "absent(riskgate_sign_ins_taken_timestamp_seconds)" in late


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """And says where it is."""
    assert sorted(alerts()) == sorted(path.stem for path in RUNBOOKS.glob("*.md"))
    for rule in rules():
        if "alert" in rule:
            assert rule["annotations"]["runbook"] == f"docs/runbooks/{rule['alert']}.md"


@pytest.mark.parametrize("alert", alerts())
def test_a_page_says_what_to_do(alert: str) -> None:
    """Four short parts, in this order; links lead somewhere."""
    path = RUNBOOKS / f"{alert}.md"
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^#+ (.+)$", text, re.M) == [alert, "What it means", "Look first", "Mend", "Escalate"]
    assert len(text.splitlines()) <= 40
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert (path.parent / target).is_file(), target


def test_what_a_page_tells_to_look_at_is_counted() -> None:
    """No page sends anybody to a metric that is not there."""
    for path in RUNBOOKS.glob("*.md"):
        assert named_in(path.read_text(encoding="utf-8")) <= in_code(), path.name
