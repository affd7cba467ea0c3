"""What analysts do about a campaign: a word on it, and measures against accounts, each told as it went."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.campaign_rows import CampaignRows
from risk_scorer.adapters.console.campaign_seen import CampaignSightings
from risk_scorer.adapters.tables import incidents, verdicts
from risk_scorer.core.console.accounts import PersonRisk
from risk_scorer.core.console.enforced import Result
from risk_scorer.flows.console.campaign_acts import MOST_ENFORCED, MOST_SECONDS, CampaignActs
from risk_scorer.flows.console.campaigns import Campaigns
from risk_scorer.flows.console.ports import Act
from tests.campaign_crowds import NOW
from tests.integration.risk_scorer.campaign_events import campaigns, watch_of
from tests.integration.risk_scorer.console.crowded import BOTS, crowded
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token, post
from tests.integration.risk_scorer.service import Running

pytestmark = pytest.mark.anyio
VERDICTS = Statement(select(verdicts.c.event_id, verdicts.c.verdict, verdicts.c.by))
INCIDENTS = Statement(select(incidents.c.state))
LIST = "/dashboard/campaigns"


@pytest.fixture
async def house() -> AsyncIterator[tuple[Running, str]]:
    with tempfile.TemporaryDirectory() as place:
        async with crowded(Path(place)) as found:
            await by_link(found[0], "analyst")
            yield found


def rows(service: Running, statement: Statement) -> list[tuple[Any, ...]]:
    return service.scorer.database.read(lambda tx: tx.all(statement))


async def audited(service: Running, subject: str) -> list[tuple[str, str, str]]:
    acts = ActRows(service.scorer.database, clock=service.scorer.clock)
    found = await acts.page(before=None, subject=subject, operator="", limit=10)
    return [(each.action, each.reason, each.result) for each in found]


async def test_what_was_no_attack_is_pardoned_and_its_incident_closed(house: tuple[Running, str]) -> None:
    """The sign-ins that show what is shared are confirmed safe, each with a row of the audit; nobody finds it again."""
    service, campaign = house
    answer = await post(service, f"{LIST}/{campaign}/verdict", does="no_attack", version="9", reason="Load test")
    assert (answer.status_code, code_of(answer)) == (409, "incident_changed")
    assert rows(service, VERDICTS) == []
    answer = await post(service, f"{LIST}/{campaign}/verdict", does="no_attack", version="1", reason="Load test")
    assert answer.headers["location"] == f"{LIST}/{campaign}"
    said = sorted(rows(service, VERDICTS))
    assert said == sorted((f"of-{number}", "confirmed_safe", "link:jane") for number in range(BOTS))
    assert rows(service, INCIDENTS) == [("closed",)]
    assert await audited(service, "of-3") == [
        ("campaign.no_attack", "Load test", "done"),
        ("campaign.no_attack", "Load test", "incident_changed"),
    ]
    page = (await service.client.get(f"{LIST}/{campaign}")).text
    assert f"Sign-ins of {BOTS} of {BOTS} accounts: confirmed safe. Its incident is closed." in page
    clock = service.scorer.clock
    assert isinstance(clock, FixedClock)
    clock.advance(61.0)
    looked = watch_of(service.scorer.database, clock).look()
    assert looked is not None
    assert looked.campaigns == 0


async def test_what_was_an_attack_is_confirmed_and_wrong_forms_do_nothing(house: tuple[Running, str]) -> None:
    """Its incident stays with whoever has it; a word, a version or a campaign that is none is refused."""
    service, campaign = house
    path = f"{LIST}/{campaign}/verdict"
    for fields, expected in (
        ({"does": "perhaps", "version": "1"}, "invalid_verdict"),
        ({"does": "attack", "version": "x"}, "invalid_change"),
    ):
        assert code_of(await post(service, path, **fields)) == expected
    assert code_of(await post(service, f"{LIST}/cmp_x/verdict", does="attack", version="1")) == "unknown_campaign"
    assert rows(service, VERDICTS) == []
    await post(service, path, does="attack", version="1")
    assert {row[1] for row in rows(service, VERDICTS)} == {"confirmed_compromised"}
    assert rows(service, INCIDENTS) == [("open",)]
    assert [each.campaign_id for each in campaigns(service.scorer.database)] == [campaign]


async def test_measures_without_a_gateway_are_told_as_not_done(house: tuple[Running, str]) -> None:
    """The first is refused, the rest is not tried, and the audit has each that was begun."""
    service, campaign = house
    path = f"{LIST}/{campaign}/members"
    fields = {"form_token": await form_token(service), "reason": "bots", "does": "freeze"}
    answer = await service.client.post(path, data={**fields, "user": ["bot-1", "bot-2"]})
    assert answer.headers["location"] == f"{LIST}/{campaign}"
    page = (await service.client.get(f"{LIST}/{campaign}")).text
    assert "Frozen: 0 of 2. Refused: bot-1 (gateway_not_configu…). Not tried: bot-2." in page
    assert 'class="flash bad"' in page
    assert await audited(service, "bot-1") == [("account.freeze", "bots", "gateway_not_configured")]
    assert await audited(service, "bot-2") == []
    for wrong, expected in (
        ({"user": ["bot-1", "person-1"]}, "not_a_member"),
        ({"user": [f"bot-{number}" for number in range(MOST_ENFORCED + 1)]}, "nothing_chosen"),
        ({}, "nothing_chosen"),
        ({"user": ["bot-1"], "does": "praise"}, "invalid_measure"),
    ):
        assert code_of(await service.client.post(path, data={**fields, **wrong})) == expected
    clock = service.scorer.clock
    assert isinstance(clock, FixedClock)
    clock.advance(901.0)
    stale = await service.client.post(path, data={**fields, "user": ["bot-1"]})
    assert code_of(stale) == "fresh_link_required"


class Answering:
    """A gateway in memory, which knows some accounts and goes away at another."""

    is_on = True

    def __init__(self, clock: FixedClock) -> None:
        self.frozen, self.ended = list[str](), list[str]()
        self._clock = clock

    async def freeze(self, user_id: str, *, by: str, why: str) -> None:
        if user_id == "nobody":
            raise Refused("unknown_user", "None.", status=404)
        if user_id == "away":
            raise Refused("gateway_unavailable", "Away.", status=503)
        if user_id == "slow":
            self._clock.advance(MOST_SECONDS + 1.0)
        self.frozen.append(f"{user_id} {by} {why}")

    async def reset_sessions(self, user_id: str, *, by: str, why: str) -> None:
        self.ended.append(user_id)


async def test_each_account_is_told_as_it_went_and_what_is_not_known_ends_it(house: tuple[Running, str]) -> None:
    """One that the gateway refuses stops nobody else; one that it does not answer stops the rest, as time does."""
    service, clock = house[0], FixedClock(NOW)
    gateway, acts = Answering(clock), ActRows(service.scorer.database, clock=clock)
    nothing: Any = None
    flow = CampaignActs(
        members=nothing,
        sign_ins=nothing,
        judge=nothing,
        incidents=nothing,
        gateway=gateway,
        acts=acts,
        clock=clock,  # type: ignore[arg-type]
    )
    act = Act(operator="mara", role="analyst", action="", subjects=(), reason="bots", request_id="act-1")
    assert await flow.enforce("freeze", ["a", "nobody", "b", "away", "c"], act) == [
        Result("a", "done"),
        Result("nobody", "refused", "unknown_user"),
        Result("b", "done"),
        Result("away", "unknown", "gateway_unavailable"),
        Result("c", "not_tried"),
    ]
    assert gateway.frozen == ["a mara bots", "b mara bots"]
    assert [await audited(service, user) for user in ("a", "nobody", "away", "c")] == [
        [("account.freeze", "bots", "done")],
        [("account.freeze", "bots", "unknown_user")],
        [("account.freeze", "bots", "gateway_unavailable")],
        [],
    ]
    assert [each.how for each in await flow.enforce("freeze", ["slow", "d"], act)] == ["done", "not_tried"]
    assert [each.how for each in await flow.enforce("sign_out", ["e"], act)] == ["done"]
    assert gateway.ended == ["e"]


class Knowing:
    """A gateway in memory that holds something against one person, and may be away."""

    is_on = True
    is_away = False

    async def risk(self, user_id: str, *, limit: int) -> PersonRisk:
        if self.is_away and user_id == "bot-2":
            raise Refused("gateway_unavailable", "Away.", status=503)
        if user_id != "bot-1":
            raise Refused("unknown_user", "None.", status=404)
        return PersonRisk(user_id=user_id, risk=72.0, level="medium", is_held=True, changed_at=None, history=[])


async def test_what_the_gateway_holds_stands_beside_members_or_is_said_to_be_unknown(
    house: tuple[Running, str],
) -> None:
    """Of those that it knows; where it is away for one of them nothing is claimed of any."""
    database, gateway = house[0].scorer.database, Knowing()
    flow = Campaigns(rows=CampaignRows(database), sightings=CampaignSightings(database), gateway=gateway)  # type: ignore[arg-type]
    shown = await flow.one(house[1], "")
    assert (shown.held, shown.is_held_known) == ({"bot-1": 72.0}, True)
    gateway.is_away = True
    shown = await flow.one(house[1], "")
    assert (shown.held, shown.is_held_known) == ({}, False)
