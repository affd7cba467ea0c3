"""A thief with password and mailbox guesses codes a thousand times, at every door that takes one, in new logins,
from new addresses. What is counted is the comparison itself, below all flows.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.storage.mailed_codes import StoredMailedCodes
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.core import recovery_code
from auth_gateway.core.factor import Passkey
from auth_gateway.core.recovery_code import drawn_code
from auth_gateway.core.throttle import ThrottleKey
from auth_gateway.flows import proofs
from auth_gateway.flows.ports import Reservation
from auth_gateway.wiring import passkeys
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.account_pages import AccountBrowser
from tests.stories.gateway.letters import followed, letters, link_of, with_address
from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import NOW, Story
from tests.stories.gateway.test_factor_races import options

DAY = 86_400.0
SMTP = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "login@gateway.example"}
RECOVERY_CODE = "0123-4567-89ab-cdef"
WRONG_RECOVERY_CODE = drawn_code(bytes(10))
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Comparisons:
    """When a code was held against the true one, by the gateway's clock."""

    at: list[float] = field(default_factory=list)

    def most_in_a_day(self) -> int:
        return max((sum(1 for each in self.at if began <= each < began + DAY) for began in self.at), default=0)


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """Alice has an authenticator, a recovery code, and a mailbox that the thief reads too; every login is unusual."""
    running = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", **SMTP)
    with_address(running, "id-alice", "alice@example.com")
    key = running.gateway.vault.derive(recovery_code.KEY_PURPOSE)
    digest = recovery_code.code_digest(key, "id-alice", RECOVERY_CODE)
    assert digest is not None
    running.gateway.database.write_sync(lambda tx: StoredRecoveryCodes().replace(tx, "id-alice", [digest], NOW))
    running.scorer.score = 65.0
    return running


@pytest.fixture
def comparisons(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[Comparisons]:
    """Each comparison of a code of any kind."""
    seen = Comparisons()

    def watch(owner: Any, name: str) -> None:
        true = getattr(owner, name)

        def watched(*given: Any, **named: Any) -> Any:
            seen.at.append(story.clock.now())
            return true(*given, **named)

        monkeypatch.setattr(owner, name, watched)

    watch(proofs, "matching_step")
    watch(StoredRecoveryCodes, "use")
    watch(StoredMailedCodes, "matches")
    return seen


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory of a process makes anybody wait, as if each request came to a gateway that has just been started."""

    async def never(_: MemoryThrottle, keys: Sequence[ThrottleKey], now: float) -> Reservation:
        return Reservation(keys=tuple(keys), at=now)

    monkeypatch.setattr(MemoryThrottle, "reserve", never)


def address(turn: int) -> str:
    return f"203.0.{113 + turn // 250 % 100}.{turn % 250}"


class Thief:
    """Guesses at four doors in turn; every guess is in a challenge of its own where a door has challenges."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.link = ""
        self.doors = (self.by_api, self.at_sign_in, self.at_recovery, self.at_account, self.by_mailed_code)

    def guess(self, turn: int, code: str, kind: str = "totp") -> httpx2.Response:
        return self.doors[turn % len(self.doors)](turn, code, kind)

    def by_api(self, turn: int, code: str, kind: str) -> httpx2.Response:
        story = self.story
        challenge = story.login(peer=address(turn)).json()["challenge_id"]
        body = {"challenge_id": challenge, "code": code, "method": kind}
        return story.ask("POST", "/login/complete", json=body, peer=address(turn + 1))

    def by_mailed_code(self, turn: int, code: str, kind: str) -> httpx2.Response:
        """A code by mail is asked for and guessed; past the ten of a day none is sent, and the guess goes on."""
        story = self.story
        if kind != "totp":
            return self.by_api(turn, code, kind)
        challenge = story.login(peer=address(turn)).json()["challenge_id"]
        story.ask("POST", "/login/email-code", json={"challenge_id": challenge}, peer=address(turn))
        body = {"challenge_id": challenge, "code": f"{turn:08}", "method": "email_code"}
        return story.ask("POST", "/login/complete", json=body, peer=address(turn))

    def at_sign_in(self, turn: int, code: str, kind: str) -> httpx2.Response:
        browser = Browser(self.story, peer=address(turn), agent=f"Agent/{turn}")
        browser.authorize()
        browser.password()
        return browser.post(code=code, method=kind)

    def at_account(self, turn: int, code: str, kind: str) -> httpx2.Response:
        browser = AccountBrowser(self.story, peer=address(turn))
        browser.open("/passkeys")
        browser.password()
        return browser.post(code=code, method=kind)

    def at_recovery(self, turn: int, code: str, kind: str) -> httpx2.Response:
        if not self.link or self.story.ask("GET", self.link).status_code != 200:
            self.ask_for_link(address(turn))
        return followed(self.story, self.link, card="factor", method=kind, code=code)

    def ask_for_link(self, peer: str) -> None:
        form = self.story.ask("GET", "/recover", peer=peer)
        csrf = _CSRF.search(form.text)
        assert csrf is not None
        cookie = form.headers["set-cookie"].partition(";")[0]
        fields = {"csrf": csrf[1], "card": "recover", "named": "alice"}
        self.story.ask("POST", "/recover", data=fields, headers={"cookie": cookie}, peer=peer)
        self.link = link_of(self.story, "recover")


def owner_with_passkey(story: Story) -> SoftAuthenticator:
    registration = passkeys.registration(story.gateway)
    account = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "alice"))
    assert registration is not None
    assert account is not None
    fresh = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    text = fresh.create(registration.options(account, "s1"))
    kept = story.runner.run(registration.finish(text, user_id="id-alice", session_id="s1", name="Phone"))
    assert isinstance(kept, Passkey)
    return fresh.but(user_handle=registration.ceremonies.handle("id-alice"), count=2)


def open_doors(story: Story) -> int:
    with story.gateway.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one())


@pytest.mark.usefixtures("no_waits")
def test_of_a_thousand_guesses_at_all_doors_fifty_are_compared(
    story: Story, comparisons: Comparisons, is_long: bool
) -> None:
    """Within a day; then true codes are as wrong as every other, in the same words, and the owner's passkey lets in.
    In short, it is 150 guesses: three times as many as are compared."""
    registered(story)
    thief, guesses = Thief(story), 1000 if is_long else 150
    for turn in range(guesses):
        story.clock.advance((DAY - 600) / guesses)
        kind = "recovery_code" if turn // 5 % 4 == 3 else "totp"
        answer = thief.guess(turn, WRONG_RECOVERY_CODE if kind == "recovery_code" else f"{turn:06}", kind)
        assert answer.status_code == 401, (turn, answer.status_code, answer.text)
    assert 45 <= len(comparisons.at) <= 50
    assert open_doors(story) == 0

    compared = len(comparisons.at)
    wrong = [thief.guess(turn, "000000") for turn in range(4)]
    for kind, true in (("totp", story.code()), ("recovery_code", RECOVERY_CODE)):
        right = [thief.guess(turn, true, kind) for turn in range(4)]
        assert [answer.status_code for answer in right] == [401] * 4
        assert right[0].content == wrong[0].content
    assert len(comparisons.at) - compared <= 1  # what a day's last minutes forgive
    assert open_doors(story) == 0

    mine = owner_with_passkey(story)
    owner = Browser(story)
    owner.authorize()
    page = owner.password()
    assert "code" in returned(owner.post(credential=mine.get(options(page))))
    story.clock.advance(DAY)
    assert thief.by_api(0, story.code(), "totp").status_code == 200


@pytest.mark.usefixtures("no_waits")
def test_the_true_mailed_code_is_refused_too_once_its_looks_are_gone(story: Story, comparisons: Comparisons) -> None:
    """Five at once; then the code in the letter is wrong, and the authenticator's is right."""
    challenge = story.login().json()["challenge_id"]
    assert story.ask("POST", "/login/email-code", json={"challenge_id": challenge}).status_code == 200
    true = letters(story, "email_code")[-1].letter.values["code"]
    for turn in range(10):
        other = story.login(peer=address(turn)).json()["challenge_id"]
        body = {"challenge_id": other, "code": "00000000", "method": "email_code"}
        assert story.ask("POST", "/login/complete", json=body, peer=address(turn)).status_code == 401
    assert len(comparisons.at) == 5
    body = {"challenge_id": challenge, "code": true, "method": "email_code"}
    assert story.ask("POST", "/login/complete", json=body).status_code == 401
    assert len(comparisons.at) == 5
    assert story.complete(story.login().json()["challenge_id"]).status_code == 200


@pytest.mark.long
def test_a_patient_thief_has_no_day_with_more(story: Story, comparisons: Comparisons, is_long: bool) -> None:
    """Each guess as soon as the gateway's own waits let it, two weeks long: in no 24 hours are fifty compared."""
    registered(story)
    thief, made, most = Thief(story), 0, 1000 if is_long else 150
    for turn in range(100_000):
        made += patient(thief, turn) is not None
        if made == most:
            break
    assert made == most
    assert 0 < comparisons.most_in_a_day() <= 50
    print(f"{made} guesses in {(story.clock.now() - NOW) / DAY:.1f} days, {len(comparisons.at)} compared")


def patient(thief: Thief, turn: int) -> httpx2.Response | None:
    """One guess of a code by the API, in a new login; None when it had to wait, which it then has."""
    story = thief.story
    begun = story.login(peer=address(turn))
    if begun.status_code == 429:
        story.clock.advance(float(begun.headers["retry-after"]))
        return None
    for _ in range(3):
        body = {"challenge_id": begun.json()["challenge_id"], "code": f"{turn % 10**6:06}"}
        answer = story.ask("POST", "/login/complete", json=body, peer=address(turn))
        if answer.status_code != 429:
            return answer
        wait = float(answer.headers["retry-after"])
        story.clock.advance(wait)
        if wait > 290:
            return None
    return None
