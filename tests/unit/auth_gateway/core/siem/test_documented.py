"""docs/siem.md shows what is sent, and not what once was."""

from pathlib import Path

from auth_gateway.core.siem.ecs import SCHEMA_VERSION as ECS_VERSION
from auth_gateway.core.siem.ocsf_classes import SCHEMA_VERSION
from auth_gateway.core.siem.reference import page, samples, types
from risk_scorer.contract.attack import TECHNIQUES
from risk_scorer.contract.attack import VERSION as ATTACK_VERSION

TEXT = (Path(__file__).resolve().parents[5] / "docs" / "siem.md").read_text(encoding="utf-8")


def test_types_and_samples_are_what_is_sent() -> None:
    """`scripts/siem_page` writes them, to the octet."""
    assert types() in TEXT
    assert samples() in TEXT
    assert page(TEXT) == TEXT


def test_versions_and_techniques_are_those_that_are_sent() -> None:
    """And every technique that the text names is one of ours."""
    for words in (f"OCSF](https://schema.ocsf.io) {SCHEMA_VERSION}", f"Schema {ECS_VERSION[:4]}", f"v{ATTACK_VERSION}"):
        assert words in TEXT
    named = {word.strip(".,;()") for word in TEXT.split() if word.startswith("T1") and word[1:5].isdigit()}
    assert named <= set(TECHNIQUES)
    assert {"T1078", "T1110.003", "T1539", "T1621"} <= named
