"""What an operator finds out about a login is remembered: for this person, for this cause, and for nobody else."""

from dataclasses import dataclass

import pytest

from tests.stories.sample_people import (
    ABROAD,
    CURL,
    DAY,
    FIREFOX,
    HOSTING,
    HOUR,
    LISTED,
    LOG_ENDS,
    MEDIUM_FROM,
    PROGRAM_JA4,
    TOR_EXIT,
    Context,
    SampleScorer,
    codes,
)

BYSTANDER = "u300"
NEW_PHONE: Context = {"device_id": "new-phone"}
RESIDENTIAL_ELSEWHERE: Context = {"ip": "78.37.27.105"}
HOURS_OF_SLEEP = LOG_ENDS + 3 * HOUR  # 04:00 in Tokyo


@dataclass(frozen=True)
class Alarm:
    """A login of somebody (each story has a person of its own) that scores 60 or more, and the reason that says why."""

    user: str
    cause: str
    network: Context | None = None
    client: Context | None = None
    at: float = LOG_ENDS
    was_home_before: bool = False

    def context(self, scorer: SampleScorer) -> Context:
        client = self.client or {}
        if self.network is None:
            return {**scorer.people.usual(self.user), **client}
        return scorer.people.elsewhere(self.user, self.network, **client)


ALARMS = [
    Alarm("u214", "new_country", ABROAD, {**FIREFOX, "device_id": "new-laptop"}),
    Alarm("u209", "tor_exit", TOR_EXIT),
    Alarm("u346", "listed_network", LISTED),
    Alarm("u241", "hosting_network", HOSTING),
    Alarm("u100", "fingerprint_contradicts_browser", client={**NEW_PHONE, "ja4": PROGRAM_JA4}),
    Alarm("u101", "impossible_travel", ABROAD, was_home_before=True),
    Alarm("u77", "unusual_hour", client={**FIREFOX, **NEW_PHONE}, at=HOURS_OF_SLEEP),
]


@pytest.mark.parametrize("alarm", ALARMS, ids=[alarm.cause for alarm in ALARMS])
def test_a_confirmed_owner_is_not_alarmed_about_again(sample_scorer: SampleScorer, alarm: Alarm) -> None:
    """The same context scores below 60, at once and the next day; another person there, and an attacker from elsewhere
    or with another client, gain nothing by it."""
    context, people = alarm.context(sample_scorer), sample_scorer.people
    if alarm.was_home_before:
        sample_scorer.end(people.usual(alarm.user), at=alarm.at - 600.0)
    elsewhere = people.elsewhere(alarm.user, RESIDENTIAL_ELSEWHERE, **CURL)
    with_another_client = {**context, **CURL}
    event_id = f"alarm-{alarm.cause}"
    found = sample_scorer.score(context, at=alarm.at, event_id=event_id)
    bystander = sample_scorer.points({**context, "user_id": BYSTANDER}, at=alarm.at)
    assert found["risk_score"] >= MEDIUM_FROM
    assert alarm.cause in codes(found)

    sample_scorer.judge(event_id, "confirmed_safe")
    assert sample_scorer.points(context, at=alarm.at) < MEDIUM_FROM
    assert sample_scorer.points(context, at=alarm.at + DAY) < MEDIUM_FROM
    assert sample_scorer.points(people.usual(alarm.user), at=alarm.at + HOUR) < MEDIUM_FROM
    assert sample_scorer.points({**context, "user_id": BYSTANDER}, at=alarm.at) == bystander >= MEDIUM_FROM
    assert sample_scorer.points(elsewhere, at=alarm.at) >= MEDIUM_FROM
    assert sample_scorer.points(with_another_client, at=alarm.at) >= MEDIUM_FROM


@pytest.mark.parametrize("user", ["u212", "u213", "u215"])
def test_a_pardon_excuses_no_other_device_at_the_next_exit(sample_scorer: SampleScorer, user: str) -> None:
    """The owner came through Tor once; a stranger with the same browser comes through the exit beside it."""
    people = sample_scorer.people
    owner = people.elsewhere(user, TOR_EXIT)
    sample_scorer.score(owner, event_id=f"tor-{user}")
    sample_scorer.judge(f"tor-{user}", "confirmed_safe")
    beside = owner["ip"].rpartition(".")[0] + ".99"
    assert sample_scorer.points(owner) < MEDIUM_FROM
    for stranger in ({**owner, "device_id": "strangers-box"}, {**owner, "device_id": "", "ip": beside}):
        assert sample_scorer.points(stranger) >= MEDIUM_FROM


@pytest.mark.parametrize("user", ["u216", "u217"])
def test_one_of_two_logins_of_an_intruder_is_enough_to_know_them(sample_scorer: SampleScorer, user: str) -> None:
    """The other one has been learned unnoticed; what it taught does not make the context the person's."""
    intruder = sample_scorer.people.elsewhere(user, ABROAD, **FIREFOX)
    for number in range(2):
        sample_scorer.score(intruder, at=LOG_ENDS + number * HOUR, event_id=f"two-{user}-{number}")
        sample_scorer.end(intruder, "mfa_passed", at=LOG_ENDS + number * HOUR, event_id=f"two-{user}-{number}")
    sample_scorer.judge(f"two-{user}-0", "confirmed_compromised")
    found = sample_scorer.score(intruder, at=LOG_ENDS + 2 * HOUR)
    assert "confirmed_attacker" in found["explain"]["rules"]


INTRUSIONS: dict[str, Context | None] = {"u328": ABROAD, "u142": LISTED, "u137": TOR_EXIT, "u60": None}


@pytest.mark.parametrize("victim", INTRUSIONS)
def test_a_confirmed_compromise_takes_back_what_it_taught(sample_scorer: SampleScorer, victim: str) -> None:
    """Somebody who got through (abroad, listed, Tor, in the victim's own network) is as strange as before he was
    learned, and known as a confirmed attacker; the victim at home is not asked for anything."""
    people, network = sample_scorer.people, INTRUSIONS[victim]
    home = people.usual(victim)
    intruder = {**home, **FIREFOX} if network is None else people.elsewhere(victim, network, **FIREFOX)
    event_id = f"intrusion-{victim}"
    before = sample_scorer.score(intruder, event_id=event_id)["risk_score"]
    sample_scorer.end(intruder, "mfa_passed", event_id=event_id)
    learned = sample_scorer.points(intruder)
    assert learned < before >= MEDIUM_FROM

    sample_scorer.judge(event_id, "confirmed_compromised")
    after = sample_scorer.score(intruder)
    assert after["risk_score"] >= before
    assert "confirmed_attacker" in after["explain"]["rules"]
    assert "confirmed_attacker" in codes(after)
    at_home = sample_scorer.score(home, at=LOG_ENDS + 2 * HOUR)
    assert at_home["risk_score"] < MEDIUM_FROM
    assert "confirmed_attacker" not in at_home["explain"]["rules"]


@pytest.mark.parametrize("is_learned", [False, True])
@pytest.mark.parametrize("network", [None, ABROAD], ids=["at home", "abroad"])
def test_a_dismissed_login_changes_nothing(
    sample_scorer: SampleScorer, network: Context | None, is_learned: bool
) -> None:
    """To the bit, reasons and all, for that context and the person's usual one."""
    people = sample_scorer.people
    home = people.usual("u120")
    context = home if network is None else people.elsewhere("u120", network, **FIREFOX)
    event_id = f"dismissed-{network}-{is_learned}"
    sample_scorer.score(context, event_id=event_id)
    if is_learned:
        sample_scorer.end(context, event_id=event_id)

    def answers() -> list[Context]:
        found = [sample_scorer.score(each, at=LOG_ENDS + HOUR, event_id="asked-again") for each in (context, home)]
        return [{**answer, "ts_scored": 0.0} for answer in found]

    before = answers()
    sample_scorer.judge(event_id, "dismissed")
    assert answers() == before
