"""What the overview holds, in the words of its page: texts' keys with their values."""

from collections.abc import Callable

import msgspec

from auth_gateway.core.account_activity import Activity
from auth_gateway.core.browser_name import BrowserName
from auth_gateway.core.factor import TrustedDevice
from auth_gateway.flows.account.overview import RunningSession

MINUTE, HOUR, DAY = 60, 3600, 86_400

NameBrowser = Callable[[str], BrowserName]


class Phrase(msgspec.Struct, frozen=True):
    """A text's key with what fills it."""

    key: str
    values: dict[str, object]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list: what it is, where, when, and the id that its form sends."""

    entry_id: str
    what: Phrase
    place: str = ""
    ip: str = ""
    seen: Phrase | None = None
    began: Phrase | None = None
    is_this: bool = False
    applications: tuple[str, ...] = ()
    can_report: bool = False


def ago(then: float, now: float) -> Phrase:
    """How long ago something was, as people say it."""
    seconds = max(0.0, now - then)
    if seconds < MINUTE:
        return Phrase("account.just_now", {})
    if seconds < HOUR:
        return Phrase("account.minutes_ago", {"count": int(seconds // MINUTE)})
    if seconds < 2 * DAY:
        return Phrase("account.hours_ago", {"count": int(seconds // HOUR)})
    return Phrase("account.days_ago", {"count": int(seconds // DAY)})


def browser(named: BrowserName) -> Phrase:
    """A browser in words."""
    if named.browser and named.system:
        return Phrase("account.browser_on", {"browser": named.browser, "system": named.system})
    if named.browser or named.system:
        return Phrase("account.browser", {"browser": named.browser or named.system})
    return Phrase("account.browser_unknown", {})


def session_entry(session: RunningSession, name: NameBrowser, now: float) -> Entry:
    """A browser that is signed in."""
    return Entry(
        entry_id=session.session_id,
        what=browser(name(session.user_agent)),
        place=session.place,
        ip=session.ip,
        seen=ago(session.seen_at, now),
        began=ago(session.began_at, now),
        is_this=session.is_this,
        applications=session.applications,
    )


def trusted_entry(device: TrustedDevice, name: NameBrowser, now: float) -> Entry:
    """A browser that is not asked for a factor."""
    return Entry(
        entry_id=device.device_id,
        what=browser(name(device.user_agent)),
        place=device.place,
        began=ago(device.created_at, now),
    )


def activity_entry(activity: Activity, name: NameBrowser, now: float) -> Entry:
    """Something that happened."""
    key = "account.event_" + activity.kind.replace(".", "_")
    if activity.about in {"totp", "passkey"}:
        key = f"{key}_{activity.about}"
    return Entry(
        entry_id=activity.event_id,
        what=Phrase(key, {}),
        place=activity.place,
        seen=ago(activity.at, now),
        began=browser(name(activity.user_agent)) if activity.user_agent else None,
        can_report=activity.can_report,
    )
