"""Each act of the console in a real browser, to its effect at the gateway, in the scorer, and at whoever is told; rules
of policy have tests of their own.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from auth_gateway.core.destination import Destination, Filter
from auth_gateway.telling import listeners
from plumbing.clock import SystemClock
from plumbing.database import Database
from risk_scorer.adapters.activity.campaign_rows import WRITE_MEMBER
from risk_scorer.adapters.storage import FILE_NAME, open_database
from tests.browser.console.conftest import Opened, steal
from tests.browser.console.operating import Operator, operator_of
from tests.browser.console.signed_person import SignedPerson
from tests.browser.place import enter_password, follow
from tests.browser.stations import GOOD
from tests.campaign_crowds import BOT_JA4
from tests.console_place import Place, console_place
from tests.integration.risk_scorer.console.crowded import CAMPAIGN, attacked
from tests.integration.risk_scorer.console.logins import log, login
from tests.integration.risk_scorer.console.test_deliveries import OUTBOX
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import WEBHOOK_SECRET
from tests.stories.test_deliveries_from_the_console import Siem, siem, until

pytestmark = pytest.mark.browser
MAIL = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "login@northwind.example"}
"""Nothing listens there: letters wait where they can be read."""
VERDICTS = {
    "Confirm compromised": ("user.compromised", "confirmed_compromised"),
    "Confirm safe": ("user.safe", "confirmed_safe"),
    "Dismiss": ("user.dismissed", "dismissed"),
}
LABELS = 'SELECT event_id, verdict, "by", reason FROM verdicts WHERE event_id LIKE ? ORDER BY event_id'
QUIET_READS = 20
"""As many equal ones in a row, a tenth of a second apart, say that nothing is being written any more."""


@pytest.fixture(scope="module")
def told() -> Iterator[Siem]:
    """Whoever the scorer announces to; it takes everything."""
    with siem() as found:
        found.status = 204
        yield found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, told: Siem) -> Iterator[Place]:
    announced = {"WEBHOOK_URL": told.url, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    with console_place(tmp_path_factory.mktemp("acts"), gateway=MAIL, **announced) as found:
        yield found


@pytest.fixture(scope="module")
def operator(chromium: Browser, place: Place) -> Iterator[Operator]:
    """One for all: each test has people and messages of its own."""
    with operator_of(chromium, place, "admin") as found:
        yield found


@pytest.fixture(scope="module")
def application(place: Place) -> Iterator[httpx2.Client]:
    """What tells the scorer of logins and of what is done in sessions."""
    with place.scorer.client(place.scorer.credential("score,activity,outcomes")) as client:
        yield client


@pytest.fixture
def person(place: Place) -> Iterator[SignedPerson]:
    with place.provider.http() as http:
        found = SignedPerson(place, place.provider.person(), http)
        found.sign_in()
        found.sign_in()
        assert found.refreshes() == [200, 200]
        yield found


@pytest.fixture(autouse=True)
def no_complaints(operator: Operator) -> Iterator[None]:
    yield
    assert operator.complaints == []


@pytest.fixture(scope="module")
def campaign(place: Place) -> Iterator[Database]:
    """The scorer's database, with a campaign of bots in it."""
    with closing(open_database(f"sqlite:///{place.scorer.place / 'scorer' / FILE_NAME}")) as database:
        attacked(database, SystemClock())
        yield database


def sign_ins(operator: Operator, application: httpx2.Client, user_id: str, *event_ids: str) -> None:
    """Of theirs, each with a score of 90, where pages read them."""
    event = {"user_id": user_id, "ip": "198.51.100.7", "user_agent": "Mozilla/5.0", **LOUD}
    for event_id in event_ids:
        application.post("/score", json={**event, "event_id": event_id}).raise_for_status()
    until(lambda: len(operator.rows("SELECT 1 FROM sign_ins WHERE user_id = ?", user_id)) == len(event_ids))


def test_the_lab_leaves_nothing_behind(operator: Operator, application: httpx2.Client) -> None:
    """A login built by hand, and every preset of logins and of sessions: no table has a row more or less."""
    user_id = f"id-{operator.name}"
    sign_ins(operator, application, user_id, "evt-past-0", "evt-past-1")
    page = operator.go(f"/dashboard/lab?user={user_id}&ip=198.51.100.7")
    expect(page.locator("p.verdict")).to_contain_text("Policy would")  # the console's token is fetched once
    read = []

    def is_at_rest() -> bool:
        read.append(operator.rows_everywhere())
        return read[-QUIET_READS:] == read[-1:] * QUIET_READS

    until(is_at_rest)
    presets, tried = page.get_by_role("group", name="Preset").get_by_role("button"), 0
    for lab, words in (("lab", "Policy would"), ("lab/session", "gateway")):
        operator.go(f"/dashboard/{lab}?user={user_id}")
        for name in presets.all_inner_texts():
            with page.expect_navigation():
                presets.filter(has_text=name).first.click()
            expect(page.locator("p.verdict").first).to_contain_text(words)
            expect(page.locator("p.verdict").first).not_to_contain_text("not known")
            tried += 1
    assert tried >= 8
    assert operator.rows_everywhere() == read[-1]


def test_an_incident_is_taken_noted_and_closed(operator: Operator, application: httpx2.Client) -> None:
    """Its owner and each reason stand in its timeline, and the menu counts one less as soon as somebody has looked."""
    steal(application, "id-robbed", "ses-robbed")
    asked = "SELECT incident_id FROM incidents WHERE key = ?"
    until(lambda: operator.rows(asked, "user:id-robbed") != [])
    ((found,),) = operator.rows(asked, "user:id-robbed")
    path, timeline = f"/dashboard/incidents/{found}", operator.page.locator("ol.timeline")
    operator.go(path)
    before = operator.open_incidents
    for words, does, why, state, fewer in (
        ("Take it", "take", "my shift", "open", 0),
        ("Acknowledge", "acknowledge", "she is on the telephone", "acknowledged", 1),
        ("Close", "close", "it was her own script", "closed", 1),
    ):
        operator.act(path, words, why=why, action=f"incident.{does}", of=str(found))
        facts = operator.page.locator("header .facts").first
        expect(facts).to_contain_text(state)
        expect(facts).to_contain_text(f"owner {operator.name}")
        expect(timeline).to_contain_text(f"by {operator.name}: {why}")
        assert operator.open_incidents == before - fewer


def test_verdicts_are_kept_with_who_gave_them_and_why(operator: Operator, application: httpx2.Client) -> None:
    """Of the ticked sign-ins and of no other, and they stand on the page that comes next."""
    every = [f"evt-many-{number}" for number in range(3)]
    sign_ins(operator, application, "id-many", *every)

    def filled(page: Page) -> Locator:
        form = page.locator("form[action='/dashboard/sign-ins/verdict']")
        for event in every[:2]:
            form.locator(f"input[value='{event}']").check()
        form.get_by_label("The chosen ones are").select_option("confirmed_safe")
        return form

    why, written = "one colleague, two desks", [("sign_in.verdict", event, "done") for event in every[:2]]
    operator.send("/dashboard/sign-ins?user=id-many", filled, "Judge", why=why, written=written)
    kept = operator.rows(LABELS, "evt-many-%")
    assert kept == [(event, "confirmed_safe", operator.name, why) for event in every[:2]]
    expect(operator.page.locator("#rows tr", has_text="confirmed safe")).to_have_count(2)


def test_who_is_signed_out_everywhere_is_out_and_may_come_back(operator: Operator, person: SignedPerson) -> None:
    """Both sessions are refused; the password of now lets in again."""
    said = {"action": "account.sign_out", "of": person.user_id, "why": "a laptop was left on a train"}
    assert "2 sessions ended" in operator.act(person.page, "Sign out everywhere", **said)
    assert person.refreshes() == [400, 400]
    assert person.may_come_in()


def test_one_session_ends_and_the_other_goes_on(
    operator: Operator, person: SignedPerson, application: httpx2.Client
) -> None:
    """From the page of that session, which does not offer it again."""
    stolen = next(iter(person.tokens))
    steal(application, person.user_id, stolen)
    path = f"/dashboard/sessions/{stolen}"
    about = (stolen, person.user_id)
    told = operator.act(path, "End this session", why="never her browser", action="session.end", of=about)
    assert "The session has ended" in told
    expect(operator.page.get_by_text("No such session runs there.")).to_be_visible()
    expect(operator.page.get_by_text("End this session")).to_have_count(0)
    assert person.refreshes() == [400, 200]


def test_whose_password_must_be_renewed_gets_in_with_another_one_alone(
    operator: Operator, person: SignedPerson, chromium: Browser
) -> None:
    """Both sessions are out, and the password of before lets nobody in: its owner sets another one by the letter."""
    said = {"action": "account.force_reset", "of": person.user_id, "why": "the password is in a leak"}
    assert "2 sessions ended" in operator.act(person.page, "Force reset", **said)
    expect(operator.page.locator("header .facts").first).to_contain_text("password renewal")
    assert person.refreshes() == [400, 400]
    assert not person.may_come_in()
    context = chromium.new_context()
    person.renew(context.new_page(), GOOD)
    context.close()
    assert not person.may_come_in()
    assert person.may_come_in(GOOD)


@pytest.mark.parametrize("words", VERDICTS)
def test_what_is_said_of_a_person_decides_their_next_login(
    operator: Operator, person: SignedPerson, application: httpx2.Client, words: str
) -> None:
    """Compromised keeps the password out, safe and dismissed let it in; the risk is shown, the risky login labelled."""
    (action, label), is_out = VERDICTS[words], words == "Confirm compromised"
    why, risky = f"asked them: {label}", f"evt-{person.user_id}"
    sign_ins(operator, application, person.user_id, risky)
    if not is_out:
        person.hold()
    assert person.may_come_in() is is_out
    risk, shown = ("100", r"\b100\b.* at the gateway, held") if is_out else ("0", r"\b0 at the gateway")
    told = operator.act(person.page, words, why=why, action=action, of=person.user_id)
    assert f"risk at the gateway {risk}; 1 risky sign-in judged" in told
    expect(operator.page.locator("header .facts").first).to_contain_text(re.compile(shown))
    assert person.may_come_in() is not is_out
    if is_out:
        assert person.refreshes() == [400, 400]
    assert operator.rows(LABELS, risky) == [(risky, label, operator.name, why)]


def test_what_a_receiver_of_the_gateway_missed_arrives(operator: Operator, place: Place) -> None:
    """It says that it is gone, and is disabled; resumed, it gets what died and a span told again; paused, nothing."""
    with siem() as receiver:
        some = Filter(types=("account.created",))  # which nobody is while this runs
        wanted = Destination(destination_id="", name="siem", kind="webhook", url=receiver.url, filter=some)
        known = listeners(place.provider.gateway)
        made = known.add(wanted, show=lambda _: None).destination_id
        path = f"/dashboard/deliveries/gateway/{made}"
        ask = partial(operator.act, path, of=f"gateway {made}", why="they were moving")
        ask("Send a test message", action="delivery.test")
        until(lambda: known.find(made).disabled_at is not None)
        receiver.status = 204
        ask("Resume", action="delivery.resume")
        ask("Try dead ones again", action="delivery.retry_dead")
        until(lambda: len(receiver.taken) == 1)
        since = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
        ask("Tell a span again", action="delivery.replay", From=since)
        until(lambda: any(".rpl_" in each for each in receiver.taken))
        ask("Pause", action="delivery.pause")
        expect(operator.page.get_by_text("Send a test message")).to_have_count(0)
        assert known.find(made).disabled_reason == "they were moving"


def test_what_a_receiver_of_the_scorer_missed_arrives(operator: Operator, place: Place, told: Siem) -> None:
    """The message that was given up, by itself; and a test."""
    with closing(open_database(f"sqlite:///{place.scorer.place / 'scorer' / FILE_NAME}")) as database:
        lost = {"message_id": "msg_lost", "endpoint": "announcements", "event_type": "webhook.test", "body": b"{}"}
        now = datetime.now(UTC).timestamp()
        database.write_sync(partial(OUTBOX.add, now=now + 3600.0, **lost))
        database.write_sync(partial(OUTBOX.give_up, endpoint="announcements", now=now, error="status_500"))
    path = "/dashboard/deliveries/scorer/announcements"
    ask = partial(operator.act, path, of="scorer announcements", why="they are back")
    ask("Try now", action="delivery.retry")
    until(lambda: "msg_lost" in told.taken)
    before = len(told.taken)
    ask("Send a test message", action="delivery.test")
    until(lambda: len(told.taken) > before)


def test_whom_somebody_freezes_is_out_until_the_account_is_opened(
    opened: Opened, operator: Operator, place: Place, person: SignedPerson, complaints: list[str]
) -> None:
    """Who came in without a second factor is asked for it once, and what they typed is kept; password and refresh are
    refused until then."""
    analyst, page = place.people["analyst"], opened(None)
    page.goto(place.url + person.page)
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{place.provider.issuer}/**")
    enter_password(page, analyst.password, username=analyst.username)
    page.wait_for_url(place.url + person.page)
    own = Operator(place, analyst.username, page)
    form = own.form("Freeze")
    form.get_by_label("Why").fill("the phone was stolen")
    form.get_by_role("button", name="Freeze").click()
    page.wait_for_url(f"{place.provider.issuer}/**")
    assert own.acts() == operator.acts()
    page.locator("#code").fill(place.code(analyst))
    follow(page, "form:has(#code) button[type=submit]")
    page.wait_for_url(place.url + person.page)
    expect(own.form("Freeze", is_open=True).get_by_label("Why")).to_have_value("the phone was stolen")
    said = {"of": person.user_id, "why": "the phone was stolen"}
    assert "The account is frozen" in own.act(person.page, "Freeze", action="account.freeze", **said)
    expect(page.locator("header .mark.high")).to_have_text("frozen")
    assert person.refreshes() == [400, 400]
    assert not person.may_come_in()
    assert "open again" in own.act(person.page, "Unfreeze", action="account.unfreeze", **said)
    assert person.may_come_in()
    assert person.refreshes() == [400, 400]
    page.goto(f"{place.url}/dashboard/audit?subject={person.user_id}")
    for part in ("account.freeze", "account.unfreeze", "the phone was stolen", analyst.username):
        expect(page.locator("main table")).to_contain_text(part)
    assert complaints == []


def test_accounts_of_a_campaign_are_frozen_one_after_the_other(
    operator: Operator, person: SignedPerson, campaign: Database
) -> None:
    """Each is told as it went: one that the gateway knows is out, one that it does not know is named."""
    now = time.time()
    member = {"campaign_id": CAMPAIGN, "user_id": person.user_id, "marks": "", "told": 0}
    campaign.write_sync(lambda tx: tx.run(WRITE_MEMBER, **member, first_seen=now, last_seen=now))

    def filled(page: Page) -> Locator:
        form = page.locator("form[action$='/members']")
        for name in (person.user_id, "bot-1"):
            form.get_by_label(name, exact=True).check()
        form.get_by_label("The chosen ones are").select_option("freeze")
        return form

    each = [(person.user_id, "done"), ("bot-1", "unknown_user")]
    written = [("campaign.freeze", CAMPAIGN, "done"), *(("account.freeze", user, how) for user, how in each)]
    told = operator.send(f"/dashboard/campaigns/{CAMPAIGN}", filled, "Have it done", why="bots", written=written)
    assert told == "Frozen: 1 of 2. Refused: bot-1 (unknown_user)."
    assert not person.may_come_in()


def test_what_is_said_of_a_campaign_is_said_of_its_sign_ins(operator: Operator, campaign: Database) -> None:
    """An attack, and then after all none, which closes its incident."""
    ((ended,),) = operator.rows("SELECT last_seen FROM campaigns WHERE campaign_id = ?", CAMPAIGN)
    names, events = ("bot-2", "bot-3"), ("evt-bot-2", "evt-bot-3")
    log(campaign, *(login(f"evt-{name}", ts=ended - 9.0, score=90.0, user_id=name, ja4=BOT_JA4) for name in names))
    until(lambda: len(operator.rows("SELECT 1 FROM sign_ins WHERE ja4 = ?", BOT_JA4)) == len(events))
    path = f"/dashboard/campaigns/{CAMPAIGN}"
    for words, does, label in (
        ("It is an attack", "attack", "confirmed_compromised"),
        ("It is no attack", "no_attack", "confirmed_safe"),
    ):
        operator.act(path, words, why=f"we looked: {does}", action=f"campaign.{does}", of=(CAMPAIGN, *events))
        kept = operator.rows(LABELS, "evt-bot-%")
        assert kept[-2:] == [(event, label, operator.name, f"we looked: {does}") for event in events]
    assert operator.rows("SELECT state FROM incidents WHERE key = ?", f"campaign:{CAMPAIGN}") == [("closed",)]
