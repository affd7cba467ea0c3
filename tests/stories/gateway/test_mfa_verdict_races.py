"""Words of an MFA system, codes and applications meet at one challenge at the same moment, at two gateways on one
database: one of them wins, on both databases, and nobody gets a fault.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.gateway.mfa_system import GIVEN, poll, request_of, waiting
from tests.stories.gateway.pairs import Pair, all_at_once, running_pair

CROWD = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Two gateways that take the word of an MFA system."""
    given = dict(GIVEN)
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_pair(tmp_path / "state", **given) as both:
        yield both


def outcome(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_one_of_many_words_counts(pair: Pair) -> None:
    """Yes and no in turn: what the winner said is what the application gets."""
    challenge = waiting(pair[0])
    words = [("approved", "denied")[turn // 2 % 2] for turn in range(CROWD)]
    answers = all_at_once(pair, [request_of(pair[0], challenge, word) for word in words])
    assert outcome(answers) == {200: 1, 409: CROWD - 1}
    won = next(answer.json()["verdict"] for answer in answers if answer.status_code == 200)
    assert poll(pair[0], challenge).status_code == (200 if won == "approved" else 403)


def test_one_message_sent_many_times_counts_once(pair: Pair) -> None:
    """Also when it is wrong: a repetition spends no try."""
    challenge = waiting(pair[0])
    wrong = request_of(pair[0], challenge, body={"number": "00"})
    assert outcome(all_at_once(pair, [wrong] * CROWD)) == {422: 1, 409: CROWD - 1}
    right = request_of(pair[0], challenge)
    assert outcome(all_at_once(pair, [right] * CROWD)) == {200: 1, 409: CROWD - 1}


def test_a_yes_is_fetched_once(pair: Pair) -> None:
    """By one of all who hold the challenge's token."""
    challenge = waiting(pair[0])
    all_at_once(pair, [request_of(pair[0], challenge), request_of(pair[0], challenge)])
    looks = {"url": "/login/complete", "json": {"challenge_id": challenge["challenge_id"], "method": "push"}}
    assert outcome(all_at_once(pair, [looks] * CROWD)) == {200: 1, 401: CROWD - 1}


def test_wrong_numbers_together_are_counted_one_by_one(pair: Pair) -> None:
    """Five tries are five, however they come."""
    challenge = waiting(pair[0])
    guesses = [request_of(pair[0], challenge, body={"number": f"0{turn}"}) for turn in range(CROWD)]
    answers = all_at_once(pair, guesses)
    assert outcome(answers) == {422: 5, 410: CROWD - 5}
    assert sorted(answer.json()["attempts_left"] for answer in answers if answer.status_code == 422) == [0, 1, 2, 3, 4]


def test_a_no_and_a_code_together_have_one_winner(pair: Pair) -> None:
    """Either the login is in and the no came late, or it is refused and the code was not looked at."""
    for username_turn in range(2):
        challenge = waiting(pair[0])
        pair[0].clock.advance(60)
        code = {"challenge_id": challenge["challenge_id"], "code": pair[0].code()}
        requests = [{"url": "/login/complete", "json": code}, request_of(pair[0], challenge, "denied")]
        finished, said = all_at_once(pair, requests[:: 1 if username_turn else -1])[:: 1 if username_turn else -1]
        assert (finished.status_code, said.status_code) in {(200, 410), (200, 409), (403, 200), (401, 200)}
