"""Other terms for a destination that is there already. Pure; what is not named stays as it is.

Name, kind and format stay: each of them would be another receiver, and messages that wait are written out already.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auth_gateway.core.destination import (
    LONGEST_TENANT,
    LONGEST_URL,
    AddressForm,
    Destination,
    UserForm,
    folding_of,
)


class FilterChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which of the filter's terms are others from now on."""

    types: tuple[str, ...] | UnsetType = UNSET
    min_score: float | UnsetType = UNSET
    clients: tuple[str, ...] | UnsetType = UNSET


class PrivacyChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much more or less of the person is told from now on."""

    ip: AddressForm | UnsetType = UNSET
    user: UserForm | UnsetType = UNSET
    user_agent: bool | UnsetType = UNSET


class FoldingChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """From when on alike events are told as one from now on."""

    is_on: bool | UnsetType = UNSET
    burst: int | UnsetType = UNSET
    per_minute: float | UnsetType = UNSET


class DestinationChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is another from now on. `folding` null is as is usual for the kind."""

    url: Annotated[str, Meta(max_length=LONGEST_URL)] | UnsetType = UNSET
    filter: FilterChange = FilterChange()
    privacy: PrivacyChange = PrivacyChange()
    folding: FoldingChange | None = FoldingChange()
    tenant: Annotated[str, Meta(max_length=LONGEST_TENANT)] | UnsetType = UNSET


def changed(before: Destination, change: DestinationChange) -> Destination:
    """The destination with those terms; whether they mean something is not looked at here."""
    return msgspec.structs.replace(
        before,
        url=before.url if change.url is UNSET else change.url,
        tenant=before.tenant if change.tenant is UNSET else change.tenant,
        filter=_with(before.filter, change.filter),
        privacy=_with(before.privacy, change.privacy),
        folding=_folding(before, change.folding),
    )


def names_of_changes(before: Destination, after: Destination) -> tuple[str, ...]:
    """Which terms differ, by name and without their values."""
    old, new = _flat(before), _flat(after)
    return tuple(name for name in new if new[name] != old.get(name))


def _folding(before: Destination, change: FoldingChange | None) -> Any:
    if change is None:
        return None
    return before.folding if change == FoldingChange() else _with(folding_of(before), change)


def _with(before: Any, change: msgspec.Struct) -> Any:
    named = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return msgspec.structs.replace(before, **named)


def _flat(destination: Destination) -> dict[str, object]:
    parts = {"filter": destination.filter, "privacy": destination.privacy, "folding": folding_of(destination)}
    found: dict[str, object] = {"url": destination.url, "tenant": destination.tenant}
    for part, terms in parts.items():
        found |= {f"{part}.{name}": value for name, value in msgspec.structs.asdict(terms).items()}
    return found
