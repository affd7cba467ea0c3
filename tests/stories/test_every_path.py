"""Logins, answered challenges and refreshes are judged alike, alone or together, and a stolen session stands out."""

from typing import Any

import pytest

from tests.stories.sample_people import (
    ABROAD,
    DAY,
    FIREFOX,
    HIGH_FROM,
    LOG_ENDS,
    MEDIUM_FROM,
    NETWORK_FIELDS,
    PROGRAM_JA4,
    TOR_EXIT,
    Context,
    SampleScorer,
    codes,
    session_of,
)

PERSONS = ["u214", "u209", "u52", "u77"]
STUFFED = {"ip": "78.37.27.105"}


def refresh(now: Context, began: Context) -> Context:
    """A refresh from here of a session that began there."""
    return {**now, "kind": "refresh", "session": session_of(began)}


def said(answer: Context) -> Context:
    """An answer without what differs each time."""
    return {name: value for name, value in answer.items() if name not in ("ts_scored", "event_id")}


@pytest.mark.parametrize("user", PERSONS)
@pytest.mark.parametrize("network", [None, ABROAD, TOR_EXIT], ids=["home", "abroad", "tor"])
def test_the_same_context_is_the_same_risk_on_every_path(
    sample_scorer: SampleScorer, user: str, network: Context | None
) -> None:
    """Login, answered challenge and refresh, the latter also of a session that began here: reasons and all."""
    people = sample_scorer.people
    context = people.usual(user) if network is None else people.elsewhere(user, network)
    login = said(sample_scorer.score(context, kind="login"))
    assert said(sample_scorer.score(context, kind="step_up")) == login
    assert said(sample_scorer.score(context, kind="refresh")) == login
    assert said(sample_scorer.score(refresh(context, context))) == login


@pytest.mark.parametrize("user", PERSONS)
@pytest.mark.parametrize("kind", ["refresh", "step_up"])
def test_a_session_that_another_client_goes_on_with_is_not_low(
    sample_scorer: SampleScorer, user: str, kind: str
) -> None:
    """Another browser and system than it began with, even in the victim's own network; from abroad it is high or at
    least worse."""
    people = sample_scorer.people
    home = people.usual(user)
    inside = sample_scorer.score({**refresh({**home, **FIREFOX}, home), "kind": kind})
    assert inside["risk_score"] >= MEDIUM_FROM
    assert "session_client_changed" in codes(inside)
    assert inside["risk_score"] > sample_scorer.points({**home, **FIREFOX})
    abroad = sample_scorer.score({**refresh(people.elsewhere(user, ABROAD, **FIREFOX), home), "kind": kind})
    assert abroad["risk_score"] > inside["risk_score"]
    assert {"session_client_changed", "session_network_changed"} <= set(codes(abroad))


@pytest.mark.parametrize("user", PERSONS)
def test_a_cookie_replayed_by_a_program_is_not_low(sample_scorer: SampleScorer, user: str) -> None:
    """The victim's user agent and device to the letter, in their network, over another TLS stack."""
    home = sample_scorer.people.usual(user)
    found = sample_scorer.score(refresh({**home, "ja4": PROGRAM_JA4}, home))
    assert found["risk_score"] >= MEDIUM_FROM
    assert {"session_client_changed", "fingerprint_contradicts_browser"} <= set(codes(found))


def own_networks(sample_scorer: SampleScorer) -> list[Context]:
    """For everybody: their usual session, gone on with by the same client from other operators of theirs at home."""
    people, found = sample_scorer.people, []
    for user in people.known():
        home = people.usual(user)
        others = {
            login["asn"]: {**home, **{field: login.get(field, "") for field in ("country", "region", "city")}}
            | {field: login[field] for field in ("ip", "asn", "ip_rep") if field in login}
            for login in people.logins[user]
            if login.get("asn") not in (None, home.get("asn")) and login.get("country") == home.get("country")
        }
        found += [refresh(other, home) for other in others.values()]
    return found


def new_networks(sample_scorer: SampleScorer) -> list[Context]:
    """For everybody: the same from one operator of their country that no login of theirs has ever taught."""
    people, found = sample_scorer.people, []
    lines = {
        (login["country"], login["asn"]): {field: login[field] for field in NETWORK_FIELDS[:3] if field in login}
        for user in people.known()
        for login in people.logins[user]
        if "asn" in login and "country" in login
    }
    for user in people.known():
        home, own = people.usual(user), {login.get("asn") for login in people.logins[user]}
        line = next((lines[key] for key in sorted(lines) if key[0] == home["country"] and key[1] not in own), None)
        if line is not None:
            found.append(refresh({**home, "region": "", "city": "", **line}, home))
    return found


def test_a_telephone_that_leaves_the_house_keeps_its_session(sample_scorer: SampleScorer) -> None:
    """On networks of the person's own it goes on; on an operator nobody has taught it is never ended, and seldom asked
    for more (which the gateway then waives for the very client that began)."""
    own = sample_scorer.scores(own_networks(sample_scorer))
    new = sample_scorer.scores(new_networks(sample_scorer))
    print(f"own: {len(own)}, highest {max(own)}; new: {len(new)}, highest {max(new)}")
    assert len(own) > 300 < len(new)
    assert sum(score >= MEDIUM_FROM for score in own) <= 0.01 * len(own)
    assert max(own + new) < HIGH_FROM
    assert sum(score >= MEDIUM_FROM for score in new) <= 0.15 * len(new)


def test_bulk_agrees_with_single_on_every_path_and_under_pressure(sample_scorer: SampleScorer) -> None:
    """Sessions, kinds and an address that is being stuffed from: every answer is the same to the bit."""
    people = sample_scorer.people
    for number in range(60):
        sample_scorer.end({**STUFFED, **FIREFOX, "user_id": f"tried-{number}"}, "failure", at=LOG_ENDS - number)
    events: list[dict[str, Any]] = []
    for user in PERSONS:
        home = people.usual(user)
        stuffer = people.elsewhere(user, STUFFED, **FIREFOX)
        for event in (home, refresh(stuffer, home), stuffer, {**stuffer, "kind": "step_up"}, refresh(home, stuffer)):
            events += [{**event, "timestamp": LOG_ENDS + later, "event_id": "same"} for later in (0.0, DAY)]
    together = sample_scorer.client.post("/bulk_score", json=events).raise_for_status().json()
    alone = [sample_scorer.client.post("/score", json=event).raise_for_status().json() for event in events]
    assert [said(answer) for answer in together] == [said(answer) for answer in alone]
    rules = {rule for answer in alone for rule in answer["explain"]["rules"]}
    assert {"stuffing_in_progress", "session_client_changed", "session_network_changed"} <= rules
