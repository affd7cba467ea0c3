"""The way in to the own account's pages: who is signed in at this browser, what is the risk of this very request, and
what may be done here and now. Everybody else goes to the sign-in page, on the same interactions as an application's.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.facts import facts_of
from auth_gateway.core.origin import is_same_context
from auth_gateway.core.provider.account_access import Access, Grounds, access, demand_of
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID, AccountVisit, BrowserSession
from auth_gateway.core.provider.owed_password import owes_new_password
from auth_gateway.core.ruling import Ruling
from auth_gateway.core.session import Session
from auth_gateway.flows.provider.authorize import Arrival, Authorize, origin_of
from auth_gateway.flows.provider.onward import OUR_ACCOUNT_PAGES, Onwards
from auth_gateway.flows.recheck import Returning
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskLevel, risk_level

NOT_HERE_AND_NOW = "account_not_now"
PASSWORD_PAGE = "/password"  # noqa: S105 - an address


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an account page: `shown` is the digest of the session cookie, `binding` that of the sign-in
    cookie. `page` is what follows `/account` in the address, one of ours."""

    shown: bytes | None
    binding: bytes
    context: LoginContext
    page: str = ""
    is_sensitive: bool = False


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """The account's owner, as far as this request goes."""

    account: Account
    session: Session
    browser: BrowserSession
    kinds: tuple[FactorKind, ...]
    context: LoginContext
    now: float

    @property
    def user_id(self) -> str:
        """Whose account it is."""
        return self.account.user_id

    def line(self, kind: Kind, event_id: str, *, detail: str | None = None, rule: str | None = None) -> AuditEvent:
        """The audit line of what they do."""
        return AuditEvent(
            event_id=event_id,
            ts=self.now,
            kind=kind,
            user_id=self.user_id,
            client_id=ACCOUNT_CLIENT_ID,
            session_id=self.session.session_id,
            ip=self.context.ip,
            detail=detail,
            rule=rule,
            facts=facts_of(self.context, None),
        )


class NotNow(msgspec.Struct, frozen=True):
    """The person is known, and may still not do this from here and now: nothing they have speaks for them enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDoor:
    """Lets people in to their own account."""

    authorize: Authorize

    async def enter(self, coming: Coming) -> Person | Onwards | NotNow:
        """The person, when nothing is in the way; else where the browser goes first.

        Raises: Refused("throttled", 429); Refused("busy" or "storage_unavailable", 503).
        """
        onward = self.authorize.onward
        now = onward.clock.now()
        context = msgspec.structs.replace(coming.context, client_id=ACCOUNT_CLIENT_ID)
        person = onward.database.read(lambda tx: self._person(tx, coming.shown, context, now))
        if person is None:
            return await self._ask(coming, AccountVisit(page=coming.page, is_sensitive=coming.is_sensitive))
        ruling = await self._ruling(person)
        grounds = self._grounds(person, ruling)
        answer = access(grounds, is_sensitive=coming.is_sensitive, now=now)
        if answer == "enter":
            if not _must_choose_first(coming, person):
                return person
            return await self._ask(coming, AccountVisit(page=coming.page, is_sensitive=coming.is_sensitive))
        if answer == "not_now":
            await self._note(person, ruling)
            return NotNow()
        return await self._ask(coming, _visit(coming, person, grounds, answer))

    def still(self, tx: Transaction, person: Person) -> None:
        """
        Raises: Refused `signed_out_meanwhile` (409) unless the session and the account are what they were: whoever was
        signed out in another tab, or by a letter's link, changes nothing more.
        """
        found = self._person(tx, person.browser.token_digest, person.context, person.now)
        users = self.authorize.onward.users
        same_session = found is not None and found.session.session_id == person.session.session_id
        if not same_session or not users.is_still(tx, person.user_id, person.account.password_version):
            raise Refused("signed_out_meanwhile", "The session has ended meanwhile.", status=409)

    def _person(self, tx: Transaction, shown: bytes | None, context: LoginContext, now: float) -> Person | None:
        onward = self.authorize.onward
        browser = None if shown is None else onward.store.browser_sessions.find(tx, shown)
        if browser is None or now >= browser.expires_at:
            return None
        session = onward.sessions.find(tx, browser.session_id)
        if session is None or session.revoked_at is not None or now >= session.expires_at or session.awaits_factor:
            return None
        account = onward.users.by_id(tx, session.user_id)
        if account is None or account.is_frozen:
            return None
        kinds = onward.users.factor_kinds(tx, account.user_id)
        return Person(account=account, session=session, browser=browser, kinds=kinds, context=context, now=now)

    async def _ruling(self, person: Person) -> Ruling:
        session = person.session
        returning = Returning(
            event_id=self.authorize.onward.randomness.event_id("evt"),
            user_id=person.user_id,
            client=Client(client_id=ACCOUNT_CLIENT_ID),
            context=person.context,
            origin=origin_of(session),
            username=person.account.username,
            login_score=session.risk_score,
            amr=tuple(session.amr.split()),
            acr=session.acr,
        )
        return await self.authorize.recheck.refresh(returning, session.session_id, person.now)

    def _grounds(self, person: Person, ruling: Ruling) -> Grounds:
        policy = self.authorize.recheck.policy
        level: RiskLevel | None = None if ruling.risk_score is None else risk_level(ruling.risk_score)
        return Grounds(
            session=person.session,
            kinds=person.kinds,
            decision=ruling.decision,
            level=level,
            demand=demand_of(
                ruling.decision, ruling.risk_score, phishing_resistant_from=policy.phishing_resistant_from
            ),
            is_same_place=is_same_context(origin_of(person.session), person.context),
        )

    async def _ask(self, coming: Coming, visit: AccountVisit) -> Onwards:
        """On the sign-in page, where the risk is judged as for an application."""
        arrival = Arrival(
            request=visit,
            client=OUR_ACCOUNT_PAGES,
            context=coming.context,
            shown=coming.shown,
            binding=coming.binding,
        )
        return await self.authorize(arrival)

    async def _note(self, person: Person, ruling: Ruling) -> None:
        onward = self.authorize.onward
        event_id = onward.randomness.event_id("evt")
        line = ruling.on(person.line("account.refused", event_id, rule=NOT_HERE_AND_NOW))
        await onward.database.write(lambda tx: self.authorize.recorder.audit.record(tx, line))


def _must_choose_first(coming: Coming, person: Person) -> bool:
    """Whether another password comes before this page: others guess the one that the session began with. Where it is
    changed by whoever knows it, it may be changed."""
    is_listed = person.account.is_password_listed
    return coming.page != PASSWORD_PAGE and owes_new_password(person.session, is_password_listed=is_listed)


def _visit(coming: Coming, person: Person, grounds: Grounds, answer: Access) -> AccountVisit:
    """The way back to this page. A session that is to end is judged once more, and ends there."""
    return AccountVisit(
        page=coming.page,
        is_sensitive=coming.is_sensitive,
        insufficient="" if answer == "end" else person.session.session_id,
        needs_login=answer == "sign_in",
        demand=grounds.demand if answer == "step_up" else "enrolled",
    )
