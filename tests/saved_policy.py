"""A policy document put into a gateway's database, as an operator's command does it."""

from auth_gateway.assembly import Gateway
from auth_gateway.flows.said import said
from auth_gateway.policing import opened_versions
from auth_gateway.wiring.policy import policy_desk


def save_policy(gateway: Gateway, document: str, *, by: str = "mara", why: str = "to begin with") -> int:
    """The version that it is."""
    desk = policy_desk(gateway, opened_versions(gateway))
    return desk.save(document, said(by, why), expected_version=desk.in_force().version.version).version
