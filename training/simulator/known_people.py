"""Alice and Bob, the two people whom the demo logs in: their usual contexts are part of the promise, not of chance."""

from training.simulator.browsers import Signature
from training.simulator.chance import Chance
from training.simulator.people import WORKER_HOURS, Device, Line, Person
from training.simulator.world import SPAN_DAYS, Network, World

ALICE_NETWORK = Network("home", 64500, "US", "CA", "San Jose", "198.51.100.0/24", 5.0)
BOB_NETWORK = Network("home", 64501, "DE", "BE", "Berlin", "192.0.2.0/24", 5.0)
"""Networks reserved for documentation (RFC 5737), as the demo profile describes them."""

ALICE_ADDRESS = "198.51.100.9"
BOB_ADDRESS = "192.0.2.44"
ALICE_SIGNATURE = Signature(
    "Mozilla/5.0 (Macintosh; Intel Mac OS X)", "t13d301000_1234_5678", "ge11nn100000_9999", "654321"
)
_ALICE_HOURS = (1, 0, 0, 0, 2, 8, 9, 8, 8, 8, 9, 9, 8, 7, 7, 6, 5, 4, 4, 4, 3, 3, 2, 1)
_ELSEWHERE_SHARE = 0.08  # Her provider gives her another address now and then.


def alice(world: World) -> Person:
    """Alice in San Jose: one Mac, one provider, an early riser."""
    return Person(
        user_id="alice",
        city=world.city("San Jose"),
        activity=1.0,
        days=(-1.0, SPAN_DAYS + 1),
        weekday_hours=_ALICE_HOURS,
        weekend_share=0.8,
        home=(Line(ALICE_NETWORK, 400.0),),
        office=None,
        tunnels=(),
        tunnel_share=0.0,
        trips=(),
        devices=(Device("dev-1", "home", "safari_mac", 5.0),),
        language="enus",
        typo_share=0.03,
    )


def bob(world: World) -> Person:
    """Bob in Berlin: a Windows laptop and an iPhone on the same line."""
    return Person(
        user_id="bob",
        city=world.city("Berlin"),
        activity=1.3,
        days=(-1.0, SPAN_DAYS + 1),
        weekday_hours=WORKER_HOURS,
        weekend_share=0.6,
        home=(Line(BOB_NETWORK, 400.0),),
        office=None,
        tunnels=(),
        tunnel_share=0.0,
        trips=(),
        devices=(
            Device("bob-laptop", "home", "chrome_windows", 2.0),
            Device("bob-phone", "phone", "safari_iphone", 6.0),
        ),
        language="dede",
        typo_share=0.03,
    )


def address(user_id: str, chance: Chance) -> str | None:
    """The address one of the two logs in from this time, None for everybody else."""
    usual = {"alice": (ALICE_ADDRESS, ALICE_NETWORK), "bob": (BOB_ADDRESS, BOB_NETWORK)}.get(user_id)
    if usual is None:
        return None
    return usual[1].address(chance.below(120)) if chance.happens(_ELSEWHERE_SHARE) else usual[0]


def signature(user_id: str) -> Signature | None:
    """The fixed signature of a person whose software is not one of our browsers."""
    return ALICE_SIGNATURE if user_id == "alice" else None
