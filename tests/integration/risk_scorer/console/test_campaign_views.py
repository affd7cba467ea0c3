"""The list of campaigns, and one: drawn, explained, with its members. One house; nothing is changed in it."""

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from risk_scorer.adapters.console.campaign_rows import IS_MEMBER, LAST_INCIDENT, MEMBERS, OPEN_INCIDENT, SESSION_RISK
from risk_scorer.adapters.console.campaign_seen import COUNTED_EVENTS, COUNTED_LOGINS, EVENTS, FAILURES, LOGINS
from tests.campaign_crowds import BOT_JA4
from tests.integration.risk_scorer.console.crowded import BOTS, crowded
from tests.integration.risk_scorer.console.signing import by_link, code_of, form_token
from tests.integration.risk_scorer.service import Running

pytestmark = pytest.mark.anyio
LIST = "/dashboard/campaigns"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the house."""
    return "asyncio"


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[tuple[Running, str]]:
    with tempfile.TemporaryDirectory() as place:
        async with crowded(Path(place)) as found:
            yield found


async def opened(house: tuple[Running, str], path: str, role: str = "reader") -> str:
    """The page as a new person of that role sees it."""
    house[0].client.cookies.clear()
    await by_link(house[0], role)  # type: ignore[arg-type]
    answer = await house[0].client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_list_says_what_is_shared_why_and_who_works_on_it(house: tuple[Running, str]) -> None:
    """Open and closed ones by state, with the incident; the menu counts what goes on."""
    text = await opened(house, LIST)
    for part in (f"{LIST}/{house[1]}", BOT_JA4, "rhythm", "nobody has it", f'class="number">{BOTS}<', 'class="count"'):
        assert part in text, part
    assert house[1] in (await house[0].client.get(f"{LIST}?state=open")).text
    assert "No campaign is closed" in (await house[0].client.get(f"{LIST}?state=closed")).text


async def test_a_campaign_is_drawn_with_links_and_told_as_a_table(house: tuple[Running, str]) -> None:
    """Every account leads to its person, what is shared to its page; names are text; nothing acts for a reader."""
    text = await opened(house, f"{LIST}/{house[1]}")
    assert "<img" not in text
    assert "&lt;img" in text
    drawing = text[text.index('<svg class="graph"') : text.index("</svg>")]
    for number in range(1, BOTS):
        assert f'<a href="/dashboard/users/bot-{number}">' in drawing
    assert f'<a href="/dashboard/entities/fingerprint/{BOT_JA4}">' in drawing
    assert drawing.count("<path") >= 4 * BOTS
    assert text.count("bot-7</a> 2") >= 1  # 25 events and a sign-in, in the table beside it
    assert "They add up to the score" in text
    assert "is not known now" in text  # no gateway
    assert "Have it done" not in text
    assert "Have it done" in await opened(house, f"{LIST}/{house[1]}", "analyst")


async def test_what_is_not_there_is_a_page_that_says_so(house: tuple[Running, str]) -> None:
    """With its code: an id that nobody has, a state, a place."""
    await opened(house, LIST)
    one = f"{LIST}/{house[1]}"
    wrong = {
        f"{LIST}/cmp_nobody": (404, "unknown_campaign"),
        f"{LIST}/%00": (404, "unknown_campaign"),
        f"{LIST}?state=lost": (422, "invalid_filter"),
        f"{LIST}?after=x/y/z": (422, "invalid_filter"),
        f"{LIST}?after=%00": (422, "invalid_filter"),
        f"{one}?members=x": (422, "invalid_filter"),
        f"{one}?members=nan/a": (422, "invalid_filter"),
        f"{one}?members=1/%00": (422, "invalid_filter"),
    }
    for path, expected in wrong.items():
        answer = await house[0].client.get(path)
        assert (answer.status_code, code_of(answer)) == expected, path


async def test_members_go_on_from_a_place(house: tuple[Running, str]) -> None:
    """Whoever was seen before it; the drawing stays that of the newest."""
    text = await opened(house, f"{LIST}/{house[1]}")
    times = [float(each) for each in re.findall(r'data-label="Last seen"><time [^>]*data-epoch="([^"]*)"', text)]
    assert times == sorted(times, reverse=True)
    place = f"{times[4]!r}/zzz"
    rest = (await house[0].client.get(f"{LIST}/{house[1]}", params={"members": place})).text
    assert rest.count("data-row") == BOTS - 5
    assert rest.count('<circle class="account"') == BOTS


async def test_a_veiled_session_sees_no_address_in_the_drawing(house: tuple[Running, str]) -> None:
    """Nor in what they share, nor behind a link."""
    await opened(house, LIST)
    form = {"form_token": await form_token(house[0], LIST), "mask": "1", "back": LIST}
    await house[0].client.post("/dashboard/mask", data=form)
    for path in (LIST, f"{LIST}/{house[1]}"):
        text = (await house[0].client.get(path)).text
        assert not re.search(r"45\.9\.\d+\.7\b", text), path


SEARCHED = (
    (MEMBERS, "campaign_members USING INDEX sqlite_autoindex_campaign_members_1 (campaign_id=?"),
    (IS_MEMBER, "sqlite_autoindex_campaign_members_1 (campaign_id=? AND user_id=?)"),
    (OPEN_INCIDENT, "incidents_open_by_key"),
    (LAST_INCIDENT, "incidents_by_key (key=?)"),
    (SESSION_RISK, "session_risk_by_user (user_id=?)"),
    (EVENTS, "activity_events_by_user (user_id=? AND ts>? AND ts<?)"),
    (LOGINS, "sign_ins_by_user (user_id=? AND ts>? AND ts<?)"),
    (COUNTED_EVENTS, "COVERING INDEX activity_events_by_user (user_id=? AND ts>? AND ts<?)"),
    (COUNTED_LOGINS, "COVERING INDEX sign_ins_by_user (user_id=? AND ts>? AND ts<?)"),
    (FAILURES, "seen_outcomes_by_age (seen_at>? AND seen_at<?)"),
)


def test_every_look_goes_along_an_index(house: tuple[Running, str]) -> None:
    """However many events and sign-ins there are."""
    with house[0].scorer.database.engine.connect() as connection:
        for statement, index in SEARCHED:
            compiled = statement.compiled("sqlite")
            given = tuple(compiled.fixed.get(name, "1") for name in compiled.names)
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", given).fetchall())
            assert index in plan, plan
