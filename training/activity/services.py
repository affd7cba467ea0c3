"""The invented application: its services, what each step costs, and the ways people of a role go through it.

Nothing here is anybody's product. Medians of latency and size are round numbers of the order that web services have.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Step(NamedTuple):
    """One request: `template` has {id} where a number goes; medians of latency (ms) and answer (bytes)."""

    service: str
    method: str
    template: str
    event_type: str
    latency_ms: float
    bytes_out: float


def _steps(service: str, *lines: tuple[str, str, str, float, float]) -> dict[str, Step]:
    return {f"{method} {path}": Step(service, method, path, kind, ms, size) for method, path, kind, ms, size in lines}


STEPS: Mapping[str, Step] = {
    **_steps(
        "portal",
        ("POST", "/login", "login", 210, 900),
        ("POST", "/logout", "logout", 35, 200),
        ("GET", "/portal/home", "view", 80, 18_000),
        ("GET", "/portal/notifications", "view", 40, 2_000),
    ),
    **_steps(
        "crm",
        ("GET", "/crm/customers", "view", 95, 12_000),
        ("GET", "/crm/customers/{id}", "view", 70, 6_000),
        ("POST", "/crm/customers/{id}/notes", "click", 110, 400),
        ("GET", "/crm/deals", "view", 85, 9_000),
        ("PUT", "/crm/deals/{id}", "click", 120, 700),
        ("GET", "/crm/export", "download", 900, 400_000),
    ),
    **_steps(
        "tickets",
        ("GET", "/tickets", "view", 75, 10_000),
        ("GET", "/tickets/{id}", "view", 60, 5_000),
        ("POST", "/tickets/{id}/replies", "click", 130, 500),
        ("PUT", "/tickets/{id}/state", "click", 90, 300),
    ),
    **_steps(
        "docs",
        ("GET", "/docs", "view", 70, 8_000),
        ("GET", "/docs/{id}", "view", 90, 20_000),
        ("GET", "/docs/{id}/file", "download", 300, 250_000),
        ("PUT", "/docs/{id}", "click", 140, 600),
    ),
    **_steps(
        "billing",
        ("GET", "/billing/invoices", "view", 90, 11_000),
        ("GET", "/billing/invoices/{id}", "view", 65, 4_000),
        ("POST", "/billing/invoices", "click", 160, 700),
        ("GET", "/billing/invoices/{id}/pdf", "download", 220, 90_000),
    ),
    **_steps(
        "payments",
        ("GET", "/payments", "view", 85, 7_000),
        ("GET", "/payments/{id}", "view", 60, 3_000),
        ("POST", "/payments/transfer", "click", 240, 800),
    ),
    **_steps(
        "reports",
        ("GET", "/reports", "view", 80, 6_000),
        ("GET", "/reports/{id}", "view", 130, 25_000),
        ("POST", "/reports/{id}/run", "click", 700, 1_000),
        ("GET", "/reports/{id}/export", "download", 1_200, 900_000),
    ),
    **_steps(
        "repo",
        ("GET", "/repo/projects", "view", 75, 9_000),
        ("GET", "/repo/projects/{id}", "view", 95, 15_000),
        ("GET", "/repo/projects/{id}/diff", "view", 150, 40_000),
        ("POST", "/repo/projects/{id}/merges", "click", 260, 900),
    ),
    **_steps(
        "deploy",
        ("GET", "/deploy/runs", "view", 80, 8_000),
        ("POST", "/deploy/runs", "click", 350, 900),
        ("GET", "/deploy/runs/{id}/logs", "view", 180, 60_000),
    ),
    **_steps(
        "hr",
        ("GET", "/hr/me", "view", 60, 4_000),
        ("GET", "/hr/people", "view", 90, 12_000),
        ("GET", "/hr/people/{id}", "view", 70, 5_000),
        ("GET", "/hr/salaries", "view", 140, 30_000),
    ),
    **_steps(
        "admin",
        ("GET", "/admin/users", "view", 100, 14_000),
        ("GET", "/admin/users/{id}", "view", 75, 5_000),
        ("POST", "/admin/users/{id}/roles", "click", 170, 500),
        ("GET", "/admin/audit", "view", 160, 30_000),
        ("GET", "/admin/settings", "view", 70, 4_000),
        ("POST", "/admin/export", "download", 1_500, 2_000_000),
    ),
    **_steps(
        "promo",
        ("POST", "/accounts/verify", "click", 120, 400),
        ("POST", "/promo/redeem", "click", 150, 300),
    ),
}

Way = tuple[str, ...]

_COMMON: Mapping[Way, float] = {
    ("GET /portal/home", "GET /portal/notifications"): 2.0,
    ("GET /docs", "GET /docs/{id}", "GET /docs/{id}"): 1.5,
    ("GET /docs", "GET /docs/{id}", "GET /docs/{id}/file"): 0.6,
    ("GET /docs/{id}", "PUT /docs/{id}"): 0.6,
    ("GET /hr/me",): 0.15,
}
_SUPPORT: Mapping[Way, float] = {
    ("GET /tickets", "GET /tickets/{id}", "POST /tickets/{id}/replies"): 8.0,
    ("GET /tickets/{id}", "GET /crm/customers/{id}", "POST /tickets/{id}/replies", "PUT /tickets/{id}/state"): 5.0,
    ("GET /crm/customers", "GET /crm/customers/{id}", "POST /crm/customers/{id}/notes"): 2.0,
    ("GET /billing/invoices/{id}",): 0.5,
}
_SALES: Mapping[Way, float] = {
    ("GET /crm/customers", "GET /crm/customers/{id}", "POST /crm/customers/{id}/notes"): 7.0,
    ("GET /crm/deals", "PUT /crm/deals/{id}"): 5.0,
    ("GET /crm/deals", "GET /crm/customers/{id}", "PUT /crm/deals/{id}"): 3.0,
    ("GET /reports", "GET /reports/{id}"): 1.0,
    ("GET /crm/export",): 0.12,
}
_ENGINEER: Mapping[Way, float] = {
    ("GET /repo/projects", "GET /repo/projects/{id}", "GET /repo/projects/{id}/diff"): 7.0,
    ("GET /repo/projects/{id}/diff", "POST /repo/projects/{id}/merges", "POST /deploy/runs"): 3.0,
    ("GET /deploy/runs", "GET /deploy/runs/{id}/logs"): 4.0,
    ("GET /tickets/{id}",): 0.5,
}
_FINANCE: Mapping[Way, float] = {
    ("GET /billing/invoices", "GET /billing/invoices/{id}", "GET /billing/invoices/{id}/pdf"): 6.0,
    ("GET /billing/invoices", "POST /billing/invoices"): 3.0,
    ("GET /payments", "GET /payments/{id}", "POST /payments/transfer"): 3.0,
    ("GET /reports", "GET /reports/{id}", "GET /reports/{id}/export"): 1.0,
}
_ANALYST: Mapping[Way, float] = {
    ("GET /reports", "GET /reports/{id}", "POST /reports/{id}/run", "GET /reports/{id}"): 7.0,
    ("GET /reports/{id}", "GET /reports/{id}/export"): 2.0,
    ("GET /crm/customers", "GET /crm/customers/{id}"): 1.5,
}
_ADMIN: Mapping[Way, float] = {
    ("GET /admin/users", "GET /admin/users/{id}", "POST /admin/users/{id}/roles"): 4.0,
    ("GET /admin/audit",): 2.0,
    ("GET /admin/settings",): 1.0,
    ("GET /hr/people", "GET /hr/people/{id}"): 1.0,
    ("GET /deploy/runs", "GET /deploy/runs/{id}/logs"): 1.0,
}

WAYS: Mapping[str, Mapping[Way, float]] = {
    "support": {**_SUPPORT, **_COMMON},
    "sales": {**_SALES, **_COMMON},
    "engineer": {**_ENGINEER, **_COMMON},
    "finance": {**_FINANCE, **_COMMON},
    "analyst": {**_ANALYST, **_COMMON},
    "admin": {**_ADMIN, **_COMMON},
}
"""For each role the ways through the application, and how often one goes each."""

ROLE_SHARES: Mapping[str, float] = {
    "support": 30, "sales": 25, "engineer": 20, "finance": 12, "analyst": 10, "admin": 3,
}  # fmt: skip

PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "support": ("tickets:read", "tickets:write", "crm:read", "docs:read", "docs:write"),
    "sales": ("crm:read", "crm:write", "reports:read", "docs:read", "docs:write"),
    "engineer": ("repo:read", "repo:write", "deploy:read", "deploy:run", "docs:read", "docs:write"),
    "finance": ("billing:read", "billing:write", "payments:read", "payments:write", "reports:read", "docs:read"),
    "analyst": ("reports:read", "reports:run", "crm:read", "docs:read", "docs:write"),
    "admin": ("admin:read", "admin:write", "hr:read", "deploy:read", "docs:read", "docs:write"),
}
