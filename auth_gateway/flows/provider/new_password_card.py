"""The card for whoever signed in with a password that others guess first: another one, and only then on the way. Who
got in with the one before is out, but for this browser, and its cookie is new.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import LoginContext
from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.facts import facts_of
from auth_gateway.core.password_rules import shortest_for
from auth_gateway.core.provider.authorization import Interaction
from auth_gateway.core.provider.journey import ChooseNewPassword
from auth_gateway.core.provider.reply import BackToAccount, CodeReply
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from auth_gateway.flows.ending import PASSWORD_CHANGED, Ending
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.new_passwords import NewPasswords
from auth_gateway.flows.ports import AuditTrail, NewHashes, PostOffice, TrustedDevices
from auth_gateway.flows.provider.entrance import OVERTAKEN
from auth_gateway.flows.provider.onward import CardNext, Drawn, Onwards
from auth_gateway.flows.provider.sign_in import Entered, SignInPage
from plumbing.refusals import Refused
from plumbing.statements import Transaction


class Chooser(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to choose, at least how many characters, and in which session."""

    account: Account
    session: Session
    least: int


class NotChosen(msgspec.Struct, frozen=True):
    """The password stays; the code is that of the rule which the new one breaks (`NewPasswords.checked`)."""

    code: str


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted password, with all that is drawn for its transaction; `cookie` is the browser's next."""

    chooser: Chooser
    new_hash: str
    shown: bytes | None
    drawn: Drawn
    cookie: str
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasswordCard:
    """Answers the card "new_password"."""

    page: SignInPage
    new_passwords: NewPasswords
    new_hashes: NewHashes
    ending: Ending
    audit: AuditTrail
    post_office: PostOffice
    trusted_devices: TrustedDevices

    def chooser(self, interaction: Interaction) -> Chooser | None:
        """Who the card asks; None when it asks nobody any more."""
        now = self.page.onward.clock.now()
        return self.page.onward.database.read(lambda tx: self._chooser(tx, interaction, now))

    async def __call__(
        self, interaction: Interaction, raw: str, context: LoginContext, *, shown: bytes | None
    ) -> Onwards | Entered | NotChosen:
        """The password is another one from now on, and the person a card further.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        onward = self.page.onward
        chooser = self.chooser(interaction)
        if chooser is None:
            return await onward(interaction.interaction_id, context)
        account = chooser.account
        names = (account.username, account.display_name, account.email)
        has_factor = chooser.least == shortest_for(has_factor=True)
        try:
            prepared = self.new_passwords.checked(raw, names=names, has_factor=has_factor)
        except Refused as refusal:
            return NotChosen(refusal.code)
        choice = _Choice(
            chooser=chooser,
            new_hash=await self.new_hashes.hash(prepared),
            shown=shown,
            drawn=onward.draw(msgspec.structs.replace(context, client_id=interaction.client_id)),
            cookie=onward.randomness.token(),
            letter_id=onward.randomness.event_id("ltr"),
        )
        try:
            onwards, is_chosen = await onward.database.write(lambda tx: self._choose(tx, interaction, choice))
        except Refused as refusal:
            if refusal.code != OVERTAKEN:
                raise
            return CardNext(interaction.interaction_id)
        if isinstance(onwards, CodeReply | BackToAccount):
            await self.page.visits.finish(context.ip)
        return Entered(cookie=choice.cookie, onwards=onwards) if is_chosen else onwards

    def _chooser(self, tx: Transaction, interaction: Interaction, now: float) -> Chooser | None:
        onward = self.page.onward
        client = onward.client_of(tx, interaction)
        if client is None:
            return None
        standing = onward.standing(tx, interaction.session_id, client, now=now)
        step = onward.step(interaction.request, client, standing, began_at=interaction.created_at, now=now)
        account = None if standing.session is None else onward.users.by_id(tx, standing.session.user_id)
        if standing.session is None or account is None or not isinstance(step, ChooseNewPassword):
            return None
        least = shortest_for(has_factor=is_enrolled(standing.factors))
        return Chooser(account=account, session=standing.session, least=least)

    def _choose(self, tx: Transaction, interaction: Interaction, choice: _Choice) -> tuple[Onwards, bool]:
        """All of it, unless the card is not this person's any more: signed out, frozen, another password, too late."""
        onward, door, now = self.page.onward, self.page.door, choice.drawn.now
        door.still_open(tx, interaction)
        chooser = self._chooser(tx, interaction, now)
        stands = door.still_stands(tx, interaction, choice.shown, now)
        if chooser is None or not stands or not self._is_still(tx, choice.chooser, chooser):
            return onward.advance(tx, interaction.interaction_id, choice.drawn), False
        account = chooser.account
        onward.users.set_password(tx, account.user_id, choice.new_hash)
        self.audit.record(tx, _line("user.password_changed", interaction, chooser, choice.drawn))
        self._end_others(tx, chooser, choice.drawn)
        if self.trusted_devices.revoke_all(tx, account.user_id, now):
            self.audit.record(tx, _line("device.distrusted", interaction, chooser, choice.drawn))
        self._renew_cookie(tx, choice)
        letter = letter_to(account, "password_changed", {"at": str(now)})
        self.post_office.post(tx, letter, letter_id=choice.letter_id, now=now)
        return onward.advance(tx, interaction.interaction_id, choice.drawn), True

    def _is_still(self, tx: Transaction, before: Chooser, now: Chooser) -> bool:
        version = before.account.password_version
        is_same = before.session.session_id == now.session.session_id and before.least == now.least
        return is_same and self.page.onward.users.is_still(tx, before.account.user_id, version)

    def _end_others(self, tx: Transaction, chooser: Chooser, drawn: Drawn) -> None:
        """Every session but those that began at this browser: a step-up leaves the one before it running."""
        sessions, here = self.page.onward.sessions, chooser.session
        others = [
            each.session_id
            for each in sessions.of_user(tx, chooser.account.user_id)
            if each.session_id != here.session_id and (each.browser_id is None or each.browser_id != here.browser_id)
        ]
        self.ending.end_all(tx, others, reason=PASSWORD_CHANGED, event_id=drawn.event_id, now=drawn.now)

    def _renew_cookie(self, tx: Transaction, choice: _Choice) -> None:
        """Whoever copied the cookie while the password was everybody's has nothing."""
        stored = self.page.door.browser_sessions
        browser = None if choice.shown is None else stored.find(tx, choice.shown)
        if browser is not None:
            stored.forget(tx, browser.token_digest)
            stored.add(tx, msgspec.structs.replace(browser, token_digest=digest(choice.cookie)))


def _line(kind: Kind, interaction: Interaction, chooser: Chooser, drawn: Drawn) -> AuditEvent:
    return AuditEvent(
        event_id=drawn.event_id,
        ts=drawn.now,
        kind=kind,
        user_id=chooser.account.user_id,
        client_id=interaction.client_id,
        session_id=chooser.session.session_id,
        ip=drawn.context.ip,
        rule="listed",
        facts=facts_of(drawn.context, None),
    )
