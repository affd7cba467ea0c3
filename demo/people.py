"""The demo's people and the places they log in from.

All addresses are from the networks reserved for documentation (RFC 5737); `networks.toml` beside this file says what
the demo profile believes about them. Names and passwords are public and exist in the demo profile only.
"""

from dataclasses import dataclass, field

ALICE_PASSWORD = "Password123!"
BOB_PASSWORD = "S3cret!xyz"


@dataclass(frozen=True)
class Attempt:
    """One login as a first-party application would send it."""

    username: str
    password: str
    context: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password, **self.context}


USUAL = Attempt(
    "alice",
    ALICE_PASSWORD,
    {
        "ip": "198.51.100.9",
        "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X)",
        "device_id": "dev-1",
        "country": "US",
        "region": "CA",
        "city": "San Jose",
        "ja4": "t13d301000_1234_5678",
        "ja4h": "ge11nn100000_9999",
        "ja4s": "654321",
    },
)

NEW_PHONE_ABROAD = Attempt(
    "alice",
    ALICE_PASSWORD,
    {
        "ip": "203.0.113.25",
        "user_agent": (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.5 Mobile/15E148 Safari/604.1"
        ),
        "device_id": "alice-new-phone",
        "country": "BR",
        "region": "SP",
        "city": "São Paulo",
        "ja4": "t13d2014h2_a09f3c656075_14788d8d241b",
    },
)

# The right password, but from a network on every list, with a browser's name over a Go program's TLS handshake.
LISTED_NETWORK = Attempt(
    "bob",
    BOB_PASSWORD,
    {
        "ip": "203.0.113.200",
        "user_agent": (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/138.0.0.0 Safari/537.36"
        ),
        "device_id": "borrowed-box",
        "country": "RU",
        "ja4": "t13d190900_9dc949149365_97f8aa674fd9",
    },
)
