"""From what a caller reported to an event that detectors look at: checked, and enriched by look-ups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from plumbing.refusals import Refused
from risk_scorer.contract.activity import AssessRequest, PrivilegeChange, When
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.seen import (
    UNKNOWN_LATENCY,
    Change,
    Seen,
    SessionFacts,
    action_of,
    endpoint_template,
    object_of,
    peers_of,
)
from risk_scorer.core.facts import AgentFacts, IpFacts
from risk_scorer.core.observation import BadEvent, canonical_address, moment, prefix_of
from risk_scorer.flows.activity.identify import Who, refuse_ended
from risk_scorer.flows.observe import EARLIEST_LOGIN, Observer, refused

MOST_AHEAD_SECONDS: Final = 300.0
"""Clocks of applications differ; an event from further in the future would fade everything that was found before it."""
LONGEST_LATENCY_MS: Final = 86_400_000.0
"""A day: what is said to have taken longer was not measured."""


class ActivityObserver:
    """Looks up what is known of an event apart from it."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def seen(
        self, requests: Sequence[AssessRequest], who: Sequence[Who | Refused], event_ids: Sequence[str], *, now: float
    ) -> list[Seen | Refused]:
        """The events in order, or why one cannot be looked at."""
        addresses: list[str | Refused] = [_address(each.identity.ip) for each in requests]
        networks = self._observer.networks(["" if isinstance(each, Refused) else each for each in addresses])
        agent = self._observer.agent
        found: list[Seen | Refused] = []
        for request, whose, event_id, address, network in zip(
            requests, who, event_ids, addresses, networks, strict=True
        ):
            if isinstance(whose, Refused):
                found.append(whose)
            elif isinstance(address, Refused):
                found.append(address)
            else:
                facts = agent(request.identity.user_agent)
                found.append(_seen(request, whose, event_id, address, network, facts, now))
        return found

    def began(self, notice: SessionNotice) -> SessionFacts:
        """What a notice says of where and with what a person came. Raises: Refused (422)."""
        address = _address(notice.ip)
        if isinstance(address, Refused):
            raise Refused(address.code, address.message, status=422, evidence={"field": "$.ip"})
        [network] = self._observer.networks([address])
        agent = self._observer.agent(notice.user_agent)
        return SessionFacts(
            ip=address,
            prefix=network.prefix or (prefix_of(address) if address else ""),
            asn=network.asn,
            country=network.country or notice.country,
            browser=agent.browser,
            os=agent.os,
            device_type=agent.device_type if notice.user_agent else "",
            device_id=notice.device_id,
            ja4=notice.ja4 or "",
            started_at=notice.at,
        )


def facts_of(seen: Seen) -> SessionFacts:
    """What a session began with whose first event this is."""
    return SessionFacts(
        ip=seen.ip, prefix=seen.prefix, asn=seen.asn, country=seen.country, browser=seen.browser, os=seen.os,
        device_type=seen.device_type, device_id=seen.device_id, ja4=seen.ja4, started_at=seen.ts,
    )  # fmt: skip


def _seen(
    request: AssessRequest,
    who: Who,
    event_id: str,
    address: str,
    network: IpFacts,
    agent: AgentFacts,
    now: float,
) -> Seen | Refused:
    said, what, session = request.identity, request.event, who.session
    try:
        ts = _happened(request, now)
        _check_texts(request)
        change = None if request.privilege_change is None else _change(request.privilege_change, ts, now)
    except BadEvent as error:
        return refused(error, "$")
    ended = refuse_ended(who, ts)
    if ended is not None:
        return ended
    told = None if session is None else session.told
    roles = said.roles if told is None or told.roles is None else told.roles
    method, template = what.method.upper(), endpoint_template(what.endpoint)
    latency = what.latency_ms
    # In the order of the fields: by their names it takes twice as long.
    return Seen(
        ts, event_id, who.user_id, who.session_id, template, action_of(method, template), method,
        what.status_code or 0,
        UNKNOWN_LATENCY if latency is None or latency > LONGEST_LATENCY_MS else latency,
        what.bytes_in, what.bytes_out, what.service, what.trace_id, what.event_type, said.device_id, address,
        network.prefix or (prefix_of(address) if address else ""), network.asn, network.country or said.geo,
        agent.browser, agent.os, agent.device_type if said.user_agent else "", said.ja4 or "", roles,
        said.privileges if told is None or told.privileges is None else told.privileges,
        peers_of(roles), change, None if told is None or not told.began_at else told.began, object_of(what.endpoint),
        math.nan if network.latitude is None else network.latitude,
        math.nan if network.longitude is None else network.longitude,
    )  # fmt: skip


def _address(text: str) -> str | Refused:
    if not text:
        return ""
    try:
        return canonical_address(text, "$.identity.ip")
    except BadEvent as error:
        return refused(error, "$")


def _happened(request: AssessRequest, now: float) -> float:
    if request.event.timestamp is not None:
        return _moment(request.event.timestamp, "$.event.timestamp", now)
    return _moment(request.identity.timestamp, "$.identity.timestamp", now)


def _moment(given: When, field: str, now: float) -> float:
    ts = moment(given, now=now, field=field)
    if ts > now + MOST_AHEAD_SECONDS:
        raise BadEvent("invalid_timestamp", field, "timestamp lies ahead of our clock")
    if ts < EARLIEST_LOGIN:
        raise BadEvent("invalid_timestamp", field, "timestamp lies before the year 2000")
    return ts


def _change(change: PrivilegeChange, ts: float, now: float) -> Change:
    return Change(
        ts=ts if change.timestamp is None else _moment(change.timestamp, "$.privilege_change.timestamp", now),
        previous_roles=change.previous_roles,
        new_roles=change.new_roles,
        previous_privileges=change.previous_privileges,
        new_privileges=change.new_privileges,
    )


def _check_texts(request: AssessRequest) -> None:
    """Refuse NUL, which ends a text in what is written in C, and half a surrogate pair, which has no UTF-8."""
    said, what, change = request.identity, request.event, request.privilege_change
    texts = [
        said.user_id, said.device_id, said.geo, said.user_agent, said.session_id, said.ja4 or "", what.endpoint,
        what.method, what.service, what.trace_id, what.event_type, request.event_id or "", *said.roles,
        *said.privileges,
    ]  # fmt: skip
    if change is not None:
        texts += [*change.previous_roles, *change.new_roles]
        texts += [*change.previous_privileges, *change.new_privileges]
    joined = "".join(texts)
    if "\0" in joined:
        raise BadEvent("invalid_text", "$", "texts must not contain NUL")
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError as error:
            raise BadEvent("invalid_text", "$", "texts must be Unicode without lone surrogates") from error
