"""What is known of an address, a user agent and a fingerprint apart from this login. Adapters look it up."""

from typing import Literal

from msgspec import Struct

NetworkKind = Literal["unknown", "residential", "hosting", "vpn", "tor", "reserved"]


class IpFacts(Struct, frozen=True, kw_only=True, gc=False):
    """Where an address is and who runs it. Unknown is 0, "" or None, never a guess.

    `prefix` is the /24 (IPv4) or /48 (IPv6) in text; degrees are WGS 84; `reputation` is 0 (nothing against it) to 100.
    """

    asn: int = 0
    asn_name: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_km: float | None = None
    prefix: str = ""
    kind: NetworkKind = "unknown"
    reputation: float = 0.0
    is_listed: bool = False


class AgentFacts(Struct, frozen=True, kw_only=True, gc=False):
    """A parsed user agent: families by name, versions by their major number.

    `device_type` is desktop, mobile, tablet, bot or unknown.
    """

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device_type: str = "unknown"
    is_bot: bool = False


class FingerprintFacts(Struct, frozen=True, kw_only=True, gc=False):
    """What a JA4 text says of itself; `client` is what it is known for (`Chromium`, `Go/WinINet`), None when unknown.

    `is_malicious` when nothing but malware is known to have it.
    """

    parses: bool = False
    tls_version: str = ""
    alpn: str = ""
    client: str | None = None
    is_malicious: bool = False


class SessionFacts(Struct, frozen=True, kw_only=True, gc=False):
    """What a session began with, as far as it can be compared with a later request of it. Unknown is ""."""

    prefix: str = ""
    asn_key: str = ""
    country: str = ""
    browser: str = ""
    os: str = ""
    device_type: str = ""
    device_id: str = ""
    ja4: str = ""


class Pressure(Struct, frozen=True, kw_only=True, gc=False):
    """How much is being tried around a login: failures, people failed for and people let in, all fading with time.

    `*_logins` counts a person who signs in again and again once. `network_*` is the busier of the address and its
    prefix, `device_*` the device.
    """

    network_failures: float = 0.0
    network_people: float = 0.0
    network_logins: float = 0.0
    device_failures: float = 0.0
    device_people: float = 0.0
    device_logins: float = 0.0


NO_PRESSURE = Pressure()
NO_IP_FACTS = IpFacts()
NO_AGENT_FACTS = AgentFacts()
NO_FINGERPRINT_FACTS = FingerprintFacts()
