"""How long to wait after failures: pure arithmetic on a count and a time. The counters themselves live elsewhere.

A reservation is counted as a failure before the password is looked at and given back when the login succeeds, so
that a thousand guesses sent at once are a thousand failures and not one.
"""

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal

import msgspec

LONGEST_WAIT_SECONDS = 900.0
SECONDS_PER_FORGIVEN_FAILURE = 1800.0
FREE_FAILURES = {
    "account": 5,
    "network": 50,
    "factor": 5,
    "user_code": 10,
    "device": 100,
    "visit": 300,
    "push": 300,
    "letters": 20,
    "mailbox": 3,
    "prompt": 5,
}
# What a flood of them costs is room and no guess, and most people who leave one open mean no harm.
FORGIVEN_SOONER = {"visit": 6.0, "push": 6.0, "prompt": 600.0}
# Who is asked again and again confirms at last, to be left alone: here no wait is shorter than what is forgiven.
WAIT_FOR_FORGIVENESS = frozenset({"prompt"})

PROMPTED_TOO_OFTEN = "prompted_too_often"
"""The rule of a login whose account was asked so often that it is not asked once more."""

Scope = Literal["account", "network", "factor", "user_code", "device", "visit", "push", "letters", "mailbox", "prompt"]


class ThrottleKey(msgspec.Struct, frozen=True):
    """What is counted: one account on one kind of device, one network, the codes of one account, the codes of devices
    that one network or browser typed wrong, the devices that one network asked for, the ways through the sign-in page
    that it began and the requests that it left here for a browser to fetch, or the second factors that one account was
    asked for and did not show."""

    scope: Scope
    name: str


class Failures(msgspec.Struct, frozen=True):
    """How many failures weigh on a key, and when the last one was counted; `before` is how that was one attempt ago."""

    weight: float = 0.0
    last_at: float = 0.0
    before: tuple[float, float] = (0.0, 0.0)
    count: str = ""
    """Which common count this was taken from; empty when it was counted here and is not known there."""


def remaining(failures: Failures, now: float, *, scope: Scope = "account") -> float:
    """The weight that is left now: one failure is forgiven every half hour, so no lock is for ever."""
    seconds = FORGIVEN_SOONER.get(scope, SECONDS_PER_FORGIVEN_FAILURE)
    return max(0.0, failures.weight - max(0.0, now - failures.last_at) / seconds)


def free_failures(scope: Scope, *, shared_by: int = 1) -> int:
    """How many failures cost nothing: what is left of them for one of several processes that count apart, at least
    one."""
    return max(1, FREE_FAILURES[scope] // shared_by)


def wait_seconds(failures: Failures, now: float, *, scope: Scope = "account", shared_by: int = 1) -> float:
    """How long to wait before the next attempt: 0 while free, then 1, 2, 4 … 900 s after the last counted one, or for
    prompts until one of them is forgiven.

    An attempt refused for waiting is not counted, so waiting long enough always helps.
    """
    free = free_failures(scope, shared_by=shared_by)
    if scope in WAIT_FOR_FORGIVENESS:
        excess_weight = remaining(failures, now, scope=scope) - (free - 1)
        return max(0.0, excess_weight * FORGIVEN_SOONER[scope])
    excess = int(remaining(failures, failures.last_at)) - free
    if excess < 0:
        return 0.0
    pause = min(LONGEST_WAIT_SECONDS, 2.0 ** min(excess, 30))
    return min(pause, max(0.0, failures.last_at + pause - now))


def counted(failures: Failures, now: float, *, scope: Scope = "account") -> Failures:
    """The same key after one more attempt."""
    weight = remaining(failures, now, scope=scope) + 1.0
    return Failures(weight, max(now, failures.last_at), before=(failures.weight, failures.last_at))


def refunded(failures: Failures, counted_at: float) -> Failures:
    """The same key after the attempt counted at that time turned out to be no guess.

    When nothing was counted since, the key is as it was before: an owner's login must not start a wait anew.
    """
    weight, last_at = failures.before
    before = (max(0.0, weight - 1.0), last_at)
    if failures.last_at == counted_at:
        return Failures(weight, last_at, before=before)
    return Failures(max(0.0, failures.weight - 1.0), failures.last_at, before=before)


def login_keys(*, username: str | None, ip: str, known_device: str | None) -> tuple[ThrottleKey, ...]:
    """What one login attempt counts against.

    A known device of the owner has a counter of its own and no other, so neither a stranger's guesses at the account
    nor a neighbour's from the same network can lock the owner out. The name alone makes the other key, whether or not
    an account has it. The device's text is a digest.
    """
    if username is not None and known_device is not None:
        return (ThrottleKey("account", f"{username}\n{known_device}"),)
    network = network_key(ip)
    return (network,) if username is None else (ThrottleKey("account", f"{username}\n"), network)


def network_key(ip: str) -> ThrottleKey:
    """What an attempt from that address counts against."""
    return ThrottleKey("network", network_of(ip))


def factor_keys(user_id: str) -> tuple[ThrottleKey, ...]:
    """What one try of a second factor counts against: the account, across all its challenges."""
    return (ThrottleKey("factor", user_id),)


def prompt_keys(user_id: str, *, known_device: bytes | None) -> tuple[ThrottleKey, ...]:
    """What one challenge counts against. A known device of the owner has a counter of its own: whoever has the
    password can neither wear the owner down nor keep him from being asked."""
    return (ThrottleKey("prompt", f"{user_id}\n{known_device.hex() if known_device else ''}"),)


def user_code_keys(*, ip: str, browser: str) -> tuple[ThrottleKey, ...]:
    """What one wrongly typed code of a device counts against (RFC 8628, section 5.1); `browser` is a digest's text."""
    return (ThrottleKey("user_code", f"network\n{network_of(ip)}"), ThrottleKey("user_code", f"browser\n{browser}"))


def device_keys(ip: str) -> tuple[ThrottleKey, ...]:
    """What a device that asks for a code counts against: nothing proves it, and each request is kept for a day."""
    return (ThrottleKey("device", network_of(ip)),)


def visit_keys(ip: str) -> tuple[ThrottleKey, ...]:
    """What a way through the sign-in page counts against: anybody can begin one, and it is kept."""
    return (ThrottleKey("visit", network_of(ip)),)


def push_keys(ip: str) -> tuple[ThrottleKey, ...]:
    """What a request counts against that anybody may leave here for a browser to fetch."""
    return (ThrottleKey("push", network_of(ip)),)


def letters_keys(ip: str) -> tuple[ThrottleKey, ...]:
    """What somebody counts against who asks for a letter without having proven anything."""
    return (ThrottleKey("letters", network_of(ip)),)


def mailbox_keys(address: str) -> tuple[ThrottleKey, ...]:
    """What a letter counts against that a stranger asked for: whose mailbox it fills."""
    return (ThrottleKey("mailbox", address.lower()),)


def network_of(ip: str) -> str:
    """The network one subscriber is likely to own: the address for IPv4, the /64 for IPv6, "" when unknown."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, 64), strict=False))
