"""The pages of addresses, operators, devices, fingerprints and countries, over one house where nothing is changed."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from risk_scorer.adapters.console.entity_rows import INCIDENTS, OF_PEOPLE, SHARING, hours_statement
from risk_scorer.core.console.entity import HOME, path_of
from tests.campaign_crowds import BOT_JA4
from tests.integration.risk_scorer.console.crowded import ADDRESS, crowded
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token
from tests.integration.risk_scorer.service import Running

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the house."""
    return "asyncio"


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[tuple[Running, str]]:
    with tempfile.TemporaryDirectory() as place:
        async with crowded(Path(place)) as found:
            yield found


@pytest.fixture
async def service(house: tuple[Running, str]) -> Running:
    house[0].client.cookies.clear()
    await by_link(house[0], "reader")
    return house[0]


SEEN = {
    ("address", ADDRESS): ("bot", "somebody who came with it is in it", "/dashboard/sign-ins?ip=45.9.0.7"),
    ("address", "45.9.1.0/24"): ("bot-1", "/dashboard/sign-ins?ip=45.9.1.0%2F24"),
    ("asn", "64500"): ("AS64500", "Example", "12"),
    ("device", "device-bot-1"): ("bot-1", "Firefox on Linux", "100.0 %"),
    ("fingerprint", BOT_JA4): ("its accounts share it", "TLS over TCP, version 1.3", "19 ciphers, 9 extensions"),
    ("country", "DE"): ("Munich", "person-1", "&lt;img"),
}


async def test_each_kind_has_a_page_with_what_is_known_and_who_came(service: Running) -> None:
    """With its campaigns, its sign-ins by a filter, and names as text."""
    for (kind, value), parts in SEEN.items():
        answer = await service.client.get(path_of(kind, value))  # type: ignore[arg-type]
        assert answer.status_code == 200, (kind, answer.text)
        assert "<img" not in answer.text
        missing = [part for part in parts if part not in answer.text]
        assert missing == [], (kind, value)


async def test_a_value_that_is_none_is_a_page_that_says_so(service: Running) -> None:
    """422 with the stable code."""
    for path in ("address/hello-there", "planet/earth", "asn/x", "country/DEU", "device/%00", "device/"):
        answer = await service.client.get(f"{HOME}/{path}")
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter"), path
    place = await service.client.get(f"{path_of('country', 'DE')}?before=x")
    assert (place.status_code, code_of(place)) == (422, "invalid_filter")


async def test_what_nobody_came_with_has_a_page_too(service: Running) -> None:
    """It says what to do next; a value of dots has one as well."""
    for path in (path_of("device", "nobody's"), path_of("device", ".."), path_of("address", "192.0.2.1")):
        answer = await service.client.get(path)
        assert answer.status_code == 200, path
        assert "No sign-in had it lately" in answer.text


async def test_a_search_leads_to_the_page_of_what_was_typed(service: Running) -> None:
    """By what it looks like, or as the kind that is chosen."""
    for query, path in {
        "q=45.9.0.7": path_of("address", ADDRESS),
        "q=de": path_of("country", "DE"),
        "q=de&kind=device": path_of("device", "de"),
    }.items():
        answer = await service.client.get(f"{HOME}?{query}")
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert (await service.client.get(f"{HOME}?q=x&kind=asn")).status_code == 422


async def test_the_index_names_what_todays_attacks_have_in_common(service: Running) -> None:
    """The fingerprint of the bots, with how many people came with it."""
    text = (await service.client.get(HOME)).text
    assert path_of("fingerprint", BOT_JA4) in text
    assert '<td data-label="People" class="number">12</td>' in text


async def test_the_list_of_people_goes_on_and_names_nobody_twice(service: Running) -> None:
    """From the place of the last one; who came again since stands on the page before."""
    first = (await service.client.get(path_of("country", "DE"))).text
    newest = [f"bot-{number}" for number in range(11, 0, -1)]
    assert [name for name in newest if f'data-open href="/dashboard/users/{name}"' in first] == newest
    between = f"{1_760_000_000.0 - 3600.0 + 5!r}_{99}"  # after bot-5's sign-in
    text = (await service.client.get(f"{path_of('country', 'DE')}?before={between}")).text
    shown = [name for name in newest if f'data-open href="/dashboard/users/{name}"' in text]
    assert shown == [f"bot-{number}" for number in range(5, 0, -1)]


async def test_a_veiled_session_is_led_to_the_network(service: Running) -> None:
    """Neither title, address nor text of what it sees has the whole of it; nor has the index."""
    form = {"form_token": await form_token(service, HOME), "mask": "1", "back": HOME}
    assert (await service.client.post("/dashboard/mask", data=form)).status_code == 303
    answer = await service.client.get(path_of("address", ADDRESS))
    assert answer.headers["location"] == path_of("address", "45.9.0.0/24")
    found = await service.client.get(f"{HOME}?q={ADDRESS}")
    assert found.headers["location"] == path_of("address", "45.9.0.0/24")
    for path in (HOME, path_of("address", "45.9.0.0/24"), path_of("fingerprint", BOT_JA4)):
        assert ADDRESS not in (await service.client.get(path)).text
    assert "45.9.0.•" in (await service.client.get(path_of("address", "45.9.0.0/24"))).text


def test_every_look_goes_along_an_index(house: tuple[Running, str]) -> None:
    """However many rows there are: hours by the index alone, campaigns and incidents a step for each."""
    columns = ("prefix", "asn", "country", "device_id", "ja4")
    asked = [(hours_statement(column), "USING COVERING INDEX sign_ins_by_") for column in columns]
    asked += [
        (SHARING, "campaigns USING INDEX campaigns_by_age"),
        (OF_PEOPLE, "campaign_members USING INDEX campaign_members_by_user"),
        (INCIDENTS, "incident_members_by_user"),
    ]
    with house[0].scorer.database.engine.connect() as connection:
        for statement, index in asked:
            compiled = statement.compiled("sqlite")
            given = tuple(compiled.fixed.get(name, "[]") for name in compiled.names)
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", given).fetchall())
            assert index in plan, plan
            assert "SCAN sign_ins" not in plan
            assert "SCAN campaign_signals" not in plan
