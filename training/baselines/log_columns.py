"""A log as whole columns of small whole numbers, equal values equal numbers: what the baselines count."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray

from training.lookups import Lookups
from training.sources import EventTable

Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LogColumns:
    """Rows in time order. `teaches` marks logins that count as their person's own: successful, no probe."""

    user: Codes
    ip: Codes
    asn: Codes
    country: Codes
    device: Codes
    user_agent: Codes
    browser: Codes
    os: Codes
    device_type: Codes
    hour: Codes
    teaches: Flags

    def __len__(self) -> int:
        return len(self.user)


def log_columns(table: EventTable, lookups: Lookups) -> LogColumns:
    """The columns of a log; what it lacks is looked up where it can be. No label is among them."""
    agents = _agents(table, lookups)
    asn, country = _networks(table, lookups)
    return LogColumns(
        user=coded(table.user_id),
        ip=coded(table.ip),
        asn=coded(asn),
        country=coded(country),
        device=coded(table.device_id),
        user_agent=coded(table.user_agent),
        browser=coded(agents["browser"]),
        os=coded(agents["os"]),
        device_type=coded(agents["device_type"]),
        hour=(table.timestamp // 3600.0 % 24).astype(np.int64),
        teaches=table.success & (table.probe == ""),
    )


def coded(values: NDArray[Any]) -> Codes:
    """Numbers from 0 in the place of values, the same for the same value."""
    codes: Codes = pyarrow.array(values).dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _agents(table: EventTable, lookups: Lookups) -> dict[str, NDArray[Any]]:
    """Browser and OS with their versions and the device type: as the log says, else as the user agent says."""
    given = {"browser": table.browser, "os": table.os, "device_type": table.device_type}
    codes = coded(table.user_agent)
    _, first = np.unique(codes, return_index=True)
    parsed: dict[str, list[str]] = {name: [] for name in given}
    for agent in table.user_agent[first].tolist():
        facts = None if lookups.agent is None else lookups.agent(agent)
        parsed["browser"].append("" if facts is None else f"{facts.browser} {facts.browser_version}")
        parsed["os"].append("" if facts is None else f"{facts.os} {facts.os_version}")
        parsed["device_type"].append("" if facts is None else facts.device_type)
    return {
        name: column if column is not None else np.array(parsed[name], object)[codes] for name, column in given.items()
    }


def _networks(table: EventTable, lookups: Lookups) -> tuple[NDArray[Any], NDArray[Any]]:
    """AS number and country: as the log says, else what is known of the address."""
    asn, country = table.asn, table.country
    if lookups.network is None or (asn.all() and country.all()):
        return asn, country
    codes = coded(table.ip)
    _, first = np.unique(codes, return_index=True)
    facts = [lookups.network(ip) for ip in table.ip[first].tolist()]
    found_asn = np.array([fact.asn for fact in facts], np.int64)[codes]
    found_country = np.array([fact.country for fact in facts], object)[codes]
    return np.where(asn > 0, asn, found_asn), np.where(country != "", country, found_country)
