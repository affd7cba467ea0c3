"""An MFA system's way back: its yes lets a waiting login be finished, its no ends it, and nobody else's word counts."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from tests.stories.gateway.mfa_system import GIVEN, SECRET, poll, request_of, send, signed, verdict, waiting
from tests.stories.gateway.story import HOME, NOW, Story

OTHER_SECRET = "whsec_" + "QUJD" * 11 + "QUI="


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that takes the word of an MFA system."""
    return story_with(**GIVEN)


def codes(*responses: Any) -> list[tuple[int, str | None]]:
    return [(response.status_code, response.json().get("error")) for response in responses]


def test_a_yes_finishes_the_login(story: Story) -> None:
    """Once; the tokens say that another channel was used, and the scorer learns that it was them."""
    challenge = waiting(story)
    assert challenge["methods"] == ["totp", "push"]
    answer = poll(story, challenge)
    assert (answer.status_code, answer.json()) == (202, {"pending": True, "retry_after": 2})
    assert answer.headers["retry-after"] == "2"
    assert verdict(story, challenge).json() == {"verdict": "approved"}
    tokens = poll(story, challenge).json()["tokens"]
    claims = story.claims(tokens["access_token"])
    assert (claims["sub"], claims["amr"], claims["acr"]) == ("id-alice", ["pwd", "mca", "mfa"], "aal2")
    assert codes(poll(story, challenge)) == [(401, "invalid_challenge")]
    told = [message["body"]["outcome"] for message in story.announced() if message["endpoint"] == "scorer"]
    assert told == ["mfa_passed"]
    assert [kind for kind, _ in story.audited() if "challenge." in kind] == ["challenge.approved", "challenge.passed"]


def test_who_has_no_factor_of_the_gateways_has_the_mfa_systems(story: Story) -> None:
    """Bob is asked for nothing else."""
    challenge = waiting(story, "bob")
    assert challenge["methods"] == ["push"]
    verdict(story, challenge)
    assert poll(story, challenge).json()["allowed"] is True


def test_the_mfa_system_is_told_that_its_word_counts_and_never_the_number(story: Story) -> None:
    """Two digits on the person's screen alone."""
    challenge = waiting(story)
    (message,) = [message for message in story.announced() if message["endpoint"] == "mfa"]
    data = message["body"]["data"]
    assert data["challenge_id"] == challenge["challenge_ref"]
    assert data["push"] == {"number_matching": True, "expires_in": 300}
    assert len(challenge["number"]) == 2
    assert 10 <= int(challenge["number"]) <= 99
    assert "number" not in data
    assert challenge["challenge_id"] not in str(message)


def test_numbers_differ_from_login_to_login(story: Story) -> None:
    """One that could be foretold would be typed by whoever is called and told it."""
    assert len({waiting(story, peer=f"198.51.100.{turn}")["number"] for turn in range(4)}) > 1


@pytest.mark.parametrize("said", [{"number": ""}, {"number": "４２"}])
def test_a_wrong_number_is_refused_and_counts(story: Story, said: dict[str, str]) -> None:
    """Five tries, like codes; the right one is not looked at after that."""
    challenge = waiting(story)
    left = [verdict(story, challenge, body=said).json() for _ in range(5)]
    assert [(each["error"], each["attempts_left"]) for each in left] == [("wrong_number", n) for n in (4, 3, 2, 1, 0)]
    assert codes(verdict(story, challenge)) == [(410, "challenge_over")]
    assert codes(poll(story, challenge), story.complete(challenge["challenge_id"])) == [(401, "invalid_challenge")] * 2
    assert story.audited().count(("challenge.failed", "wrong_number")) == 5


def test_a_right_number_after_a_wrong_one_is_taken(story: Story) -> None:
    """A slip of the finger costs one try."""
    challenge = waiting(story)
    assert verdict(story, challenge, body={"number": "00"}).status_code == 422
    assert verdict(story, challenge).status_code == 200
    assert poll(story, challenge).status_code == 200


def test_numbers_have_a_days_budget(story: Story) -> None:
    """Whoever types anything to be left alone is not guessing on with a new challenge; a no is taken all the same."""
    for turn in range(5):
        verdict(story, waiting(story, peer=f"198.51.100.{turn}"), body={"number": "00"})
    story.clock.advance(600)
    challenge = waiting(story, peer="198.51.100.77")
    assert codes(verdict(story, challenge)) == [(422, "wrong_number")]
    assert verdict(story, challenge, "denied").status_code == 200


def test_without_number_matching_a_yes_is_enough(story_with: Callable[..., Story]) -> None:
    """Where the operator's MFA system cannot ask for one."""
    story = story_with(**GIVEN, mfa_number_matching=False)
    challenge = waiting(story)
    assert "number" not in challenge
    assert verdict(story, challenge).status_code == 200
    assert poll(story, challenge).status_code == 200


@pytest.mark.parametrize("word", ["denied", "reported"])
def test_a_no_ends_the_login(story: Story, word: str) -> None:
    """The application gets an incident id however often it asks, by whichever method; a code is not looked at."""
    challenge = waiting(story)
    assert verdict(story, challenge, word).json() == {"verdict": word}
    answers = [poll(story, challenge), story.complete(challenge["challenge_id"]), poll(story, challenge)]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert len({answer.json()["incident_id"] for answer in answers}) == 1
    assert story.audited().count(("challenge.failed", word)) == 1
    told = [message["body"]["outcome"] for message in story.announced() if message["endpoint"] == "scorer"]
    assert told == ["mfa_failed"]


def test_a_refused_login_is_told_to_its_own_application_and_while_it_would_have_lived(story: Story) -> None:
    """To another it is as unknown as every other."""
    challenge = waiting(story)
    verdict(story, challenge, "denied")
    name, secret = story.client("other")
    assert codes(poll(story, challenge, auth=(name, secret))) == [(401, "invalid_challenge")]
    story.clock.advance(300)
    assert codes(poll(story, challenge)) == [(401, "invalid_challenge")]


def test_a_report_is_the_owners_word_that_it_was_not_them(story: Story) -> None:
    """Their password is somebody else's: sessions end, the account is locked, the scorer is taught."""
    refresh = story.login().json()["tokens"]["refresh_token"]
    challenge = waiting(story)
    verdict(story, challenge, "reported")
    assert story.login().status_code == 401
    assert story.refresh(refresh).status_code == 400
    assert [kind for kind, _ in story.audited()].count("sign_in.reported") == 1
    assert ("user.frozen", "reported") in story.audited()
    (told,) = [message["body"] for message in story.announced() if message["endpoint"] == "scorer-feedback"]
    scored = story.scorer.events[-1]["event_id"]
    assert (told["event_id"], told["verdict"]) == (scored, "confirmed_compromised")


def test_a_denial_locks_nobody_out(story: Story) -> None:
    """A no may be a slip; only a report says more."""
    verdict(story, waiting(story), "denied")
    story.scorer.score = 10.0
    assert story.login().status_code == 200


@pytest.mark.parametrize("first", ["approved", "denied", "reported"])
def test_the_first_word_counts(story: Story, first: str) -> None:
    """A later one changes nothing, whatever it says."""
    challenge = waiting(story)
    assert verdict(story, challenge, first).status_code == 200
    later = [verdict(story, challenge, word) for word in ("approved", "denied", "reported")]
    assert codes(*later) == [(409, "already_answered")] * 3
    assert poll(story, challenge).status_code == (200 if first == "approved" else 403)


def test_a_message_counts_once(story: Story) -> None:
    """Sent again it is refused, also after a wrong number, and a restart does not forget it."""
    challenge = waiting(story)
    wrong = request_of(story, challenge, body={"number": "00"})
    assert codes(send(story, wrong), send(story, wrong)) == [(422, "wrong_number"), (409, "message_repeated")]
    right = request_of(story, challenge, message_id="verdict-once")
    assert codes(send(story, right), send(story, right)) == [(200, None), (409, "message_repeated")]
    other = waiting(story, "bob")
    assert codes(verdict(story, other, message_id="verdict-once")) == [(409, "message_repeated")]
    with story.gateway.database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT min(expires_at), count(*) FROM seen_once").one()
    assert (kept[0] >= NOW + 600, kept[1]) == (True, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": OTHER_SECRET},
        {"age": 301},
        {"age": -301},
    ],
    ids=["another secret", "too old", "from the future"],
)
def test_who_does_not_hold_the_secret_now_says_nothing(story: Story, changed: dict[str, Any]) -> None:
    """One answer for all of them, and the login still waits."""
    challenge = waiting(story)
    assert codes(verdict(story, challenge, **changed)) == [(401, "invalid_signature")]
    assert poll(story, challenge).status_code == 202


@pytest.mark.parametrize("age", [300, -300])
def test_five_minutes_either_way_are_taken(story: Story, age: float) -> None:
    """Clocks differ."""
    assert verdict(story, waiting(story), age=age).status_code == 200


def test_a_forged_header_is_refused(story: Story) -> None:
    """Absent, empty, or anything else: before a byte of the body is read."""
    challenge = waiting(story)
    for header, value in product(
        ("webhook-id", "webhook-timestamp", "webhook-signature"),
        (None, "", "x", "v1,", "v1,AAAA", "1e9", "9" * 400),
    ):
        request = request_of(story, challenge)
        request["headers"].pop(header)
        if value is not None:
            request["headers"][header] = value
        assert codes(send(story, request)) == [(401, "invalid_signature")], (header, value)
    assert poll(story, challenge).status_code == 202


def test_a_changed_body_is_refused(story: Story) -> None:
    """A no cannot be made a yes on the way."""
    challenge = waiting(story)
    request = request_of(story, challenge, "denied")
    request["content"] = request["content"].replace(b"denied", b"approved")
    assert codes(send(story, request)) == [(401, "invalid_signature")]


def test_a_yes_for_one_challenge_is_none_for_another(story: Story) -> None:
    """The address is not signed, so the body names the challenge; sent to another's it is refused, and to an invented
    one."""
    mine, hers = waiting(story, "bob"), waiting(story)
    assert codes(verdict(story, mine, at=hers["challenge_ref"])) == [(422, "other_challenge")]
    invented = {"challenge_ref": "chg_AAAAAAAAAAAAAAAAAAAAAA", "number": "42"}
    assert codes(verdict(story, invented)) == [(404, "unknown_challenge")]
    by_token = {**hers, "challenge_ref": hers["challenge_id"]}
    assert codes(verdict(story, by_token)) == [(404, "unknown_challenge")]
    assert poll(story, hers).status_code == 202


@pytest.mark.parametrize(
    ("elapsed", "status", "word"),
    [(299.9, 200, "approved"), (299.9, 200, "reported"), (300.0, 410, "approved"), (300.0, 410, "reported")],
)
def test_a_word_counts_while_the_challenge_lives(story: Story, elapsed: float, status: int, word: str) -> None:
    """Five minutes; whoever is late locks nobody out either."""
    challenge = waiting(story)
    story.clock.advance(elapsed)
    assert verdict(story, challenge, word).status_code == status
    is_locked = ("user.frozen", "reported") in story.audited()
    assert is_locked == (word == "reported" and status == 200)


def test_a_yes_does_not_outlive_its_challenge(story: Story) -> None:
    """Nobody comes for it in time: log in again."""
    challenge = waiting(story)
    verdict(story, challenge)
    story.clock.advance(300)
    assert codes(poll(story, challenge)) == [(401, "invalid_challenge")]


def test_a_finished_login_takes_no_word(story: Story) -> None:
    """A code was faster."""
    challenge = waiting(story)
    assert story.complete(challenge["challenge_id"]).status_code == 200
    assert codes(verdict(story, challenge, "denied"), verdict(story, challenge)) == [(410, "challenge_over")] * 2


@pytest.mark.parametrize("change", ["frozen", "password"])
def test_an_account_that_changed_takes_no_word(story: Story, change: str) -> None:
    """What was half done is over, and whoever waits is told so."""
    challenge = waiting(story)
    if change == "frozen":
        story.gateway.accounts.freeze("alice")
    else:
        story.gateway.accounts.set_password("alice", "a new one that nobody guesses")
    assert codes(verdict(story, challenge)) == [(410, "challenge_over")]
    assert codes(poll(story, challenge)) == [(401, "invalid_challenge")]


@pytest.mark.parametrize(("score", "status"), [(76.0, 403), (95.0, 403)])
def test_a_yes_lifts_no_denial(story: Story, score: float, status: int) -> None:
    """Near high nothing that can be phished is taken, and high is refused: there is no challenge to approve."""
    story.scorer.score = score
    denied = story.login()
    assert denied.status_code == status
    assert codes(verdict(story, {"challenge_ref": denied.json()["incident_id"]})) == [(404, "unknown_challenge")]


def test_a_challenge_that_only_a_passkey_answers_takes_no_word(story: Story) -> None:
    """It is told to the MFA system as ever, without the promise that its word counts."""
    story.add_passkey("alice")
    story.scorer.score = 76.0
    challenge = story.login().json()
    assert challenge["methods"] == ["passkey"]
    (message,) = [message for message in story.announced() if message["endpoint"] == "mfa"]
    assert "push" not in message["body"]["data"]
    assert codes(verdict(story, challenge)) == [(404, "unknown_challenge")]
    assert codes(poll(story, challenge)) == [(401, "invalid_code")]


@pytest.mark.parametrize(("score", "peer"), [(95.0, HOME), (76.0, "203.0.113.200")])
def test_whoever_comes_for_the_yes_is_judged_anew(story: Story, score: float, peer: str) -> None:
    """From a high risk, or near high from elsewhere, the approval is spent and lets nobody in."""
    challenge = waiting(story)
    verdict(story, challenge)
    story.scorer.score = score
    answer = poll(story, challenge, peer=peer)
    assert (answer.status_code, set(answer.json()) >= {"incident_id"}) == (403, True)
    story.scorer.score = 10.0
    assert codes(poll(story, challenge)) == [(401, "invalid_challenge")]


def test_a_hasty_application_is_told_to_slow_down(story: Story) -> None:
    """A second is the least; the word is there all the same."""
    challenge = waiting(story)
    answers = []
    for pause in (0, 0.9, 0.2, 2):
        story.clock.advance(pause)
        answers.append(poll(story, challenge))
    assert [answer.status_code for answer in answers] == [202, 429, 202, 202]
    assert (answers[1].json()["error"], answers[1].headers["retry-after"]) == ("slow_down", "3")
    verdict(story, challenge)
    assert poll(story, challenge).status_code == 200


def test_waiting_spends_no_try(story: Story) -> None:
    """However often the application looks, codes are taken."""
    challenge = waiting(story)
    for _ in range(8):
        assert poll(story, challenge).status_code == 202
        story.clock.advance(2)
    assert story.complete(challenge["challenge_id"]).status_code == 200


HOSTILE: list[tuple[bytes, int, str]] = [
    (b"", 400, "malformed_json"),
    (b"[" * 4000, 422, "invalid_request"),
    (b'{"a":' * 800, 400, "malformed_json"),
    (b"null", 422, "invalid_request"),
    (b"{}", 422, "invalid_request"),
    (b'{"challenge_id":"x","verdict":"maybe"}', 422, "invalid_request"),
    (b'{"challenge_id":"x","verdict":"approved","number":42}', 422, "invalid_request"),
    (b'{"challenge_id":"\xff","verdict":"approved"}', 400, "malformed_json"),
    (b'{"challenge_id":"x","verdict":"approved","number":"%s"}' % (b"4" * 17), 422, "invalid_request"),
    (b" " * 4097, 413, "body_too_large"),
]


def test_a_hostile_body_is_refused(story: Story) -> None:
    """Even signed: nothing is echoed, nothing crashes."""
    for body, status, error in HOSTILE:
        answer = story.ask("POST", "/mfa/challenges/chg_x/verdict", content=body, headers=signed(story, body))
        assert codes(answer) == [(status, error)], body[:80]
    form = {**signed(story, b"{}"), "content-type": "text/plain"}
    answer = story.ask("POST", "/mfa/challenges/chg_x/verdict", content=b"{}", headers=form)
    assert codes(answer) == [(415, "unsupported_media_type")]


def test_our_own_messages_are_no_verdicts(story: Story) -> None:
    """The keys are the same in both directions, so a message of ours that is sent back must say nothing."""
    challenge = waiting(story)
    (message,) = [message for message in story.announced() if message["endpoint"] == "mfa"]
    body = json.dumps(message["body"]).encode()
    answer = story.ask(
        "POST", f"/mfa/challenges/{challenge['challenge_ref']}/verdict", content=body, headers=signed(story, body)
    )
    assert codes(answer) == [(422, "invalid_request")]


def test_both_active_secrets_are_taken(story_with: Callable[..., Story]) -> None:
    """While receivers change over."""
    story = story_with(**{**GIVEN, "webhook_secret": OTHER_SECRET, "webhook_secret_previous": SECRET})
    assert verdict(story, waiting(story), secret=SECRET).status_code == 200
    assert verdict(story, waiting(story, "bob"), secret=OTHER_SECRET).status_code == 200


def test_where_the_operator_has_not_said_so_nobodys_word_counts(story_with: Callable[..., Story]) -> None:
    """Every receiver of a webhook holds the secret, so a webhook alone makes none of them a judge."""
    story = story_with(**{name: value for name, value in GIVEN.items() if name != "mfa_push"})
    challenge = waiting(story)
    assert (challenge["methods"], "number" in challenge) == (["totp"], False)
    assert verdict(story, challenge).status_code == 404
    assert codes(poll(story, challenge)) == [(401, "invalid_code")]
    (message,) = [message for message in story.announced() if message["endpoint"] == "mfa"]
    assert "push" not in message["body"]["data"]
    assert story.login("bob").status_code == 403


def test_the_reference_describes_the_way_back(story: Story) -> None:
    """Where it is open."""
    reference = story.ask("GET", "/openapi.json").json()
    described = reference["paths"]["/mfa/challenges/{challenge_id}/verdict"]["post"]
    assert set(described["responses"]) >= {"200", "401", "404", "409", "410", "413", "422"}
    assert set(reference["components"]["schemas"]["VerdictBody"]["required"]) == {"challenge_id", "verdict"}
