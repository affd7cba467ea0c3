"""The lab: a supposed login scored by the model in use, with the same features and the same words as a real one, and
what policy would do. Reads; writes, counts, learns and tells nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.assessments import assessments
from risk_scorer.core.console.lab_answer import PolicyTrial, unknowns
from risk_scorer.core.console.lab_presets import AGENTS, FIREFOX, PresetName, UsualLogin, invented, preset
from risk_scorer.core.console.supposed_login import SupposedLogin, event_of, pressure_of
from risk_scorer.core.console.veil import network
from risk_scorer.core.facts import Pressure
from risk_scorer.core.history import UserHistory, learn, logins_with
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_many
from risk_scorer.flows.console.ports import Gateway
from risk_scorer.flows.observe import Observer
from risk_scorer.flows.ports import Models

SUPPOSED_ID: Final = "evt_supposed"
INVENTED_LOGINS: Final = 40
"""Eight weeks of working days: enough that something is usual."""
WORKING_HOURS: Final = (8, 9, 12, 14, 17)
DAY, HOUR = 86_400.0, 3_600.0
NO_MODEL: Final = "There is no model to score with."


class Pasts(Protocol):
    """What is stored of a person. Both raise Refused, and change nothing, in memory neither."""

    async def history(self, user_id: str) -> UserHistory | None:
        """What their logins taught."""
        ...

    async def newest(self, user_id: str) -> tuple[LoginEvent, str] | None:
        """Their newest login of a low risk that was not found to be somebody else's, and at which application."""
        ...


class Pressures(Protocol):
    def around(self, observations: Sequence[Observation]) -> list[Pressure]:
        """What is being tried around each login; looking changes nothing."""
        ...


class LabAnswer(Struct, frozen=True, kw_only=True):
    """One supposed login, scored. `policy` is None where the gateway could not say, and `problem` says why."""

    login: SupposedLogin
    score: RiskScore
    unknown: tuple[str, ...]
    is_supposed_pressure: bool
    policy: PolicyTrial | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One use case: try a login without anybody's history noticing."""

    models: Models
    observer: Observer
    pasts: Pasts
    pressures: Pressures
    gateway: Gateway
    clock: Clock

    async def made(self, name: PresetName, user: str) -> SupposedLogin:
        """The preset for this user, from their own logins where there are any. Raises: Refused."""
        return preset(name, await self.usual(user))

    async def usual(self, user: str) -> UsualLogin:
        """How the user mostly comes; an invented person where nothing is known of them. Raises: Refused."""
        found = await self.pasts.newest(user) if user else None
        if found is not None:
            event, client = found
            [place] = self.observer.networks([event.ip])
            return UsualLogin(
                user=user,
                ip=event.ip,
                user_agent=event.user_agent,
                device_id=event.device_id,
                ja4=event.ja4 or "",
                ja4h=event.ja4h or "",
                ja4s=event.ja4s or "",
                client=client,
                country=event.country or place.country,
                origin="own",
            )
        history = await self.pasts.history(user) if user else None
        return invented(user) if history is None or not history.ip else _from_history(user, history)

    async def tried(self, login: SupposedLogin) -> LabAnswer:
        """Its score, and what policy would do. Raises: BadSupposition; Refused (422, 503)."""
        model = self.models.current()
        if model is None:
            raise Refused("model_unavailable", NO_MODEL, status=503, retry_after_seconds=5)
        login = await self._placed(login)
        supposed = pressure_of(login)
        [seen] = self._seen([event_of(login, event_id=SUPPOSED_ID)])
        history = self._invented(login.user) if login.past == "invented" else await self.pasts.history(login.user)
        around = self.pressures.around([seen]) if supposed is None else [supposed]
        scored = score_many(model, [seen], [history], around)
        [score] = assessments(model, [seen], [history], scored, ts=self.clock.now())
        policy, problem = await self._policy(login, seen, score, history)
        return LabAnswer(
            login=login,
            score=score,
            unknown=unknowns(login, seen, score),
            is_supposed_pressure=supposed is not None,
            policy=policy,
            problem=problem,
        )

    async def _placed(self, login: SupposedLogin) -> SupposedLogin:
        """With addresses where a veiled session gives networks."""
        chosen = {name: await self.address_of(login.user, getattr(login, name)) for name in ("ip", "began_ip")}
        return msgspec.structs.replace(login, **chosen)

    async def address_of(self, user: str, text: str) -> str:
        """An address where only a network is given: one in it that the person has come from, else its first. Raises:
        Refused."""
        start, slash, _ = text.partition("/")
        if not slash:
            return text
        history = await self.pasts.history(user)
        return _address_in(start, {} if history is None else history.ip, text)

    def _seen(self, events: Sequence[LoginEvent]) -> list[Observation]:
        ids = [event.event_id or SUPPOSED_ID for event in events]
        return self.observer.observations(events, ids, now=self.clock.now(), where=lambda _: "$")

    def _invented(self, user: str) -> UserHistory | None:
        """The history of somebody who came on working days, by the code that learns from real logins."""
        person, now = invented(user), self.clock.now()
        midnight = now - now % DAY
        moments = [
            midnight - (day + 1) * DAY + WORKING_HOURS[day % len(WORKING_HOURS)] * HOUR
            for day in reversed(range(INVENTED_LOGINS))
        ]
        usual = event_of(preset("usual", person), event_id=SUPPOSED_ID)
        events = [msgspec.structs.replace(usual, timestamp=moment) for moment in moments]
        history: UserHistory | None = None
        for seen in self._seen(events):
            history = learn(history, seen, "success")
        return history

    async def _policy(
        self, login: SupposedLogin, seen: Observation, score: RiskScore, history: UserHistory | None
    ) -> tuple[PolicyTrial | None, str]:
        """What the gateway says that policy would do, or why it does not."""
        is_known = history is not None and bool(seen.device_id) and logins_with(history.device, seen.device_id) > 0
        is_client = login.is_refresh and _is_same_client(login)
        asked = {
            "client_id": login.client,
            "user_id": "" if login.past == "invented" else login.user,
            "path": "refresh" if login.is_refresh else "login",
            "ip": seen.ip,
            "country": seen.country,
            "score": score.risk_score,
            "reasons": [reason.code for reason in score.reasons],
            "model_version": score.model_version,
            "is_known_device": is_known,
            "is_same_client": is_client,
            "is_same_context": is_client and login.began_ip == login.ip,
        }
        try:
            return await self.gateway.ask("POST", "/policy/try", PolicyTrial, body=asked), ""
        except Refused as refused:
            return None, refused.message


def _from_history(user: str, history: UserHistory) -> UsualLogin:
    def most(seen: dict[str, int]) -> str:
        return max(seen, key=lambda value: logins_with(seen, value), default="")

    return UsualLogin(
        user=user,
        ip=most(history.ip),
        user_agent=AGENTS.get(most(history.os), FIREFOX),
        device_id=most(history.device),
        ja4=most(history.ja4),
        ja4h=most(history.ja4h),
        ja4s=most(history.ja4s),
        client="",
        country=most(history.country),
        origin="history",
    )


def _is_same_client(login: SupposedLogin) -> bool:
    """Whether nothing but the network is another than the session began with."""
    return all(getattr(login, f"began_{name}") == getattr(login, name) for name in ("user_agent", "device_id", "ja4"))


def _address_in(start: str, known: dict[str, int], text: str) -> str:
    """The address within the network that the person came from most often; else the one after its first."""
    within = [address for address in known if network(address) == text]
    if within:
        return max(within, key=lambda address: logins_with(known, address))
    return f"{start}1" if ":" in start else f"{start.rpartition('.')[0]}.1"
