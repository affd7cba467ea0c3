"""What docs/siem.md shows, made of the same tables and renderers as the messages: the types, and one login in each
form.
"""

import re
from typing import Final

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.event import events_of
from auth_gateway.core.facts import Facts
from auth_gateway.core.siem.cef import cef
from auth_gateway.core.siem.ecs import ROWS as ECS_ROWS
from auth_gateway.core.siem.ecs import ecs
from auth_gateway.core.siem.ocsf import ocsf
from auth_gateway.core.siem.ocsf_classes import ROWS as OCSF_ROWS
from auth_gateway.core.siem.syslog import syslog_line
from risk_scorer.contract.assessment import Reason

SAMPLE: Final = AuditEvent(
    event_id="evt_8hJq1fWm3xYt0aZ5kLr2Pw",
    ts=1_800_000_000.25,
    kind="login.denied",
    user_id="5f0d4c1e",
    client_id="shop",
    ip="203.0.113.77",
    decision="deny",
    rule="high",
    score=91.25,
    level="high",
    model_version="2027-01-10",
    incident_id="inc_Qe7vB2nXcT4uG9sD1fHj6k",
    detail="stuffing_in_progress new_device",
    facts=Facts(
        path="login",
        username="alice",
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0",
        device="0388fb626ca89a12",
        country="DE",
        region="BE",
        city="Berlin",
        asn=64500,
        ja4="t13d1516h2_8daaf6152771_e5627efa2ab1",
        browser="Firefox",
        os="Windows",
        network_kind="hosting",
        is_listed=True,
        reasons=(
            Reason(code="stuffing_in_progress", points=60.0, observed="203.0.113.77", usual="", text="Many are tried."),
            Reason(code="new_device", points=31.25, observed="dev-1", usual="dev-0", text="First login with it."),
        ),
        new=("device",),
        factors=("totp",),
        amr=("pwd",),
    ),
)
"""A login that was refused, as the audit trail has it."""
_SECTION: Final = re.compile(r"(<!-- (types|samples) -->\n\n).*?(?=\n## |\Z)", re.DOTALL)


def types() -> str:
    """The class and activity of each type in OCSF, and its categories in ECS, as a table."""
    lines = ["| type | OCSF | ECS |", "| --- | --- | --- |"]
    for name, row in sorted(OCSF_ROWS.items()):
        of_class = f"{row.event_class.name} ({row.event_class.uid}): {row.activity.text} ({row.activity.id})"
        lines.append(f"| `{name}` | {of_class} | {', '.join(ECS_ROWS[name].category)} |")
    return "\n".join(lines)


def samples() -> str:
    """One login in each form."""
    event = events_of(SAMPLE, tenant="acme", threshold=80.0)[0]
    parts = (
        ("OCSF, spread out here; it is one line", "json", msgspec.json.format(ocsf(event), indent=1)),
        ("ECS, the same way", "json", msgspec.json.format(ecs(event), indent=1)),
        ("CEF by syslog", "", syslog_line(event, cef(event), host="gateway.example")),
    )
    return "\n\n".join(f"{title}:\n\n```{language}\n{body.decode()}\n```" for title, language, body in parts)


def page(text: str) -> str:
    """The document with what stands behind its marks made anew."""
    made = {"types": types(), "samples": samples()}
    return _SECTION.sub(lambda found: f"{found[1]}{made[found[2]]}\n", text)
