"""Opens what training looks facts up in: the same tables, parsers and lists as the scoring service."""

from collections.abc import Sequence
from pathlib import Path

from risk_scorer.adapters.ip_claims import BadNetworkFile
from risk_scorer.adapters.ip_facts import IpLookup
from risk_scorer.adapters.ja4 import Fingerprints
from risk_scorer.adapters.time_zones import TimeZones
from risk_scorer.adapters.user_agents import UserAgents
from training.lookups import Lookups
from training.refusals import WrongInputError


def open_lookups(*, overlays: Sequence[Path] = (), listed: Sequence[Path] = ()) -> Lookups:
    """Look-ups over the packaged tables, with the networks that overlays describe and lists condemn.

    Give the scoring service the same files, or it sees other facts than the model was trained on. Raises
    WrongInputError for a file that cannot be read, and for tables that cannot be used.
    """
    try:
        networks = IpLookup.open(overlays=overlays, listed=listed)
    except BadNetworkFile as cause:
        raise WrongInputError("bad_network_file", str(cause)) from cause
    if networks.problem is not None:
        raise WrongInputError(networks.problem.code, f"the address tables cannot be used: {networks.problem}")
    return Lookups(
        network=networks.facts,
        agent=UserAgents().facts,
        fingerprint=Fingerprints.open().facts,
        local_time=TimeZones().local,
    )


def tables_age_days(at: float) -> float | None:
    """How old the packaged address tables were at epoch second `at`, 0 before they were made."""
    age = IpLookup.open().age_days(at)
    return None if age is None else max(0.0, age)
