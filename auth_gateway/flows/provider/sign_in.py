"""The cards of the sign-in page that ask who somebody is: a password, and the code of a second factor. Both are the
gateway's own login; only what begins when they are right is this page's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.provider.authorization import AuthorizationRequest, Card, Interaction
from auth_gateway.core.provider.reply import BackToAccount, CodeReply, refused
from auth_gateway.core.rotation import digest
from auth_gateway.flows.answers import ChallengeOver, LoginAnswer, Throttled, WrongCode, WrongCredentials
from auth_gateway.flows.challenge import Awaited, CompleteLogin
from auth_gateway.flows.entrance import Entrance
from auth_gateway.flows.login import Login
from auth_gateway.flows.mailed_code import MailAnswer, MailCode
from auth_gateway.flows.ports import Sealer
from auth_gateway.flows.proofs import ChallengeProof
from auth_gateway.flows.provider.entrance import CHALLENGE_PURPOSE, OVERTAKEN, Door, SignedIn
from auth_gateway.flows.provider.onward import CardNext, Onward, Onwards, Over, is_open
from auth_gateway.flows.provider.visits import Visits
from plumbing.refusals import Refused
from plumbing.statements import Transaction

PASSING_SECONDS = 10.0
"""Between a right code and its session lies one more score; after this long, nobody is coming."""

_SEEN_BY_ANYBODY: frozenset[Card] = frozenset({"password", "code", "denied"})
"""Cards whose answers prove who somebody is, or lead nowhere."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """The person is in: `cookie` is the browser's new session cookie, `trusted` the one by which it is trusted where
    that has just begun, `onwards` what comes next."""

    cookie: str
    trusted: str | None = None
    onwards: Onwards


class AskedElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """An MFA system outside was asked; `number` is what the person types there, "" where none is wanted. `is_awaited`
    ends with its word, or when it is too late for one."""

    number: str
    is_awaited: bool


Ask = Callable[[Client, Entrance], Awaitable[LoginAnswer]]
"""A login for that application through that entrance."""
CardAnswer = Onwards | Entered | WrongCredentials | WrongCode | ChallengeOver | Throttled


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPage:
    """Answers the cards. `shown` is the digest of the browser's session cookie."""

    door: Door
    onward: Onward
    login: Login
    complete: CompleteLogin
    send_code: MailCode
    vault: Sealer
    visits: Visits

    async def find(self, interaction_id: str, binding: bytes | None, *, shown: bytes | None) -> Interaction | None:
        """The interaction as it stands, for the browser that began it and while something can come of it; None looks
        the same for a stranger's, an old and an invented one.

        The sign-in cookie is older than the login, so somebody else may have had it before: who is in shows the session
        cookie as well, or is asked for the password.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        interaction = self.look(interaction_id, binding)
        return None if interaction is None else await self.held(interaction, binding, shown=shown)

    async def held(self, interaction: Interaction, binding: bytes | None, *, shown: bytes | None) -> Interaction | None:
        """An interaction that was looked at, as far as this browser may answer its card; else with the password's.

        What became of it since that look is left alone. Who comes from another window at the very moment of a login
        finds nothing: to ask for the password again would undo it.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if interaction.card in _SEEN_BY_ANYBODY:
            return interaction
        now = self.onward.clock.now()
        if self.onward.database.read(lambda tx: self.door.still_stands(tx, interaction, shown, now)):
            return interaction
        if self.onward.database.read(lambda tx: self._is_entering(tx, interaction, now)):
            return None
        await self.onward.database.write(lambda tx: self._ask_for_password(tx, interaction))
        return self.look(interaction.interaction_id, binding)

    def look(self, interaction_id: str, binding: bytes | None) -> Interaction | None:
        """The same for whatever was begun here, and nothing changes by it: an answer that comes second was sent before
        the first one's cookie arrived, and must not undo what the first one did."""
        if binding is None:
            return None
        interaction = self.onward.database.read(lambda tx: self.onward.store.interactions.find(tx, interaction_id))
        if interaction is None or interaction.binding_digest != binding:
            return None
        return interaction if is_open(interaction, self.onward.clock.now()) else None

    async def password(
        self, interaction: Interaction, username: str, password: str, context: LoginContext, *, shown: bytes | None
    ) -> CardAnswer:
        """Name and password of whoever sits there.

        Raises: Refused("busy" or "storage_unavailable", 503); then nobody is let in.
        """
        return await self.enter(
            interaction,
            lambda client, entrance: self.login(username, password, context, client, entrance=entrance),
            context,
            shown=shown,
        )

    async def enter(
        self, interaction: Interaction, ask: Ask, context: LoginContext, *, shown: bytes | None
    ) -> CardAnswer:
        """What a whole login comes to at this page, by whatever it is done.

        Raises: Refused("busy" or "storage_unavailable", 503); then nobody is let in.
        """
        client, entrance = _client(interaction), self.door.entrance(interaction, shown=shown)
        try:
            answer = await ask(client, entrance)
        except Refused as refusal:
            return _overtaken(refusal, interaction)
        if isinstance(answer, WrongCredentials | Throttled):
            return answer
        return await self._onwards(interaction, answer, context)

    def methods(self, interaction: Interaction) -> tuple[FactorKind, ...]:
        """What answers the challenge that the card waits for, the strongest first; nothing once it is over."""
        awaited = self.awaited(interaction)
        return () if awaited is None else awaited.methods

    def awaited(self, interaction: Interaction) -> Awaited | None:
        """The second factor that the card waits for, and what would do; None when none is, or it is over."""
        if interaction.card != "code" or interaction.challenge is None:
            return None
        return self.complete.awaited(self._token(interaction.challenge), _client(interaction))

    def asked_elsewhere(self, interaction: Interaction) -> AskedElsewhere | None:
        """The MFA system that was asked about the second factor which the card waits for; None where none was."""
        if interaction.card != "code" or interaction.challenge is None:
            return None
        found = self.complete.pushed(self._token(interaction.challenge))
        if found is None or found[1] == "none":
            return None
        pending, standing = found
        # Whoever finishes at this moment, in another window, is shown the same until that is done.
        is_passing = standing == "over" and _is_passing(pending, self.onward.clock.now())
        return AskedElsewhere(number=pending.number, is_awaited=is_passing or standing == "waiting")

    async def mail_code(self, interaction: Interaction) -> MailAnswer:
        """A code by mail for the card that is shown, because its person asks for one.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if interaction.card != "code" or interaction.challenge is None:
            return ChallengeOver()
        token = self._token(interaction.challenge)
        answer = await self.send_code(token, _client(interaction))
        if isinstance(answer, ChallengeOver):
            now = self.onward.clock.now()
            await self.onward.database.write(lambda tx: self._begin_again(tx, interaction, token, now))
        return answer

    async def factor(
        self,
        interaction: Interaction,
        proof: ChallengeProof,
        context: LoginContext,
        *,
        shown: bytes | None,
        trusts: bool = False,
    ) -> CardAnswer:
        """A second factor; when its challenge is over, or the session that it was to make stronger, the
        password is asked for again. `trusts` is the person's word that this browser is theirs alone.

        Raises: Refused("storage_unavailable", 503).
        """
        if interaction.challenge is None:
            return CardNext(interaction.interaction_id)
        now = self.onward.clock.now()
        if not self.onward.database.read(lambda tx: self.door.still_stands(tx, interaction, shown, now)):
            await self.onward.database.write(lambda tx: self._ask_for_password(tx, interaction))
            return ChallengeOver()
        resting = self.onward.database.read(lambda tx: self.door.resting(tx, interaction))
        token = self._token(interaction.challenge)
        new_trust = self.door.trust.draw(replaces=context.trusted_digest) if trusts else None
        client = _client(interaction)
        entrance = self.door.entrance(interaction, shown=shown, new_trust=new_trust, resting=resting)
        try:
            answer = await self.complete(token, proof, client, context, entrance=entrance)
        except Refused as refusal:
            return _overtaken(refusal, interaction)
        if isinstance(answer, ChallengeOver):
            await self.onward.database.write(lambda tx: self._begin_again(tx, interaction, token, now))
            return answer
        if isinstance(answer, WrongCode | Throttled):
            return answer
        return await self._onwards(interaction, answer, context)

    async def leave(self, interaction: Interaction) -> Onwards:
        """Back to the application, which is told that the person did not go on and never why."""
        request = interaction.request
        now = self.onward.clock.now()
        is_first = await self.onward.database.write(
            lambda tx: self.onward.store.interactions.finish(tx, interaction.interaction_id, now)
        )
        if not is_first or not isinstance(request, AuthorizationRequest):
            return Over()
        return refused(request, "access_denied", "The person did not sign in.")

    async def _onwards(self, interaction: Interaction, answer: object, context: LoginContext) -> CardAnswer:
        """A challenge or a denial is the interaction's next card already; who is in goes on."""
        if not isinstance(answer, SignedIn):
            return CardNext(interaction.interaction_id)
        onwards = await self.onward(interaction.interaction_id, _known(context, interaction))
        if isinstance(onwards, CodeReply | BackToAccount):
            await self.visits.finish(context.ip)
        return Entered(cookie=answer.cookie, trusted=answer.trusted, onwards=onwards)

    def _token(self, challenge: bytes) -> str:
        return self.vault.open(challenge, CHALLENGE_PURPOSE).decode()

    def _begin_again(self, tx: Transaction, interaction: Interaction, challenge_token: str, now: float) -> None:
        """Unless somebody was faster: a challenge that was just passed takes its own interaction further."""
        onward = self.onward
        pending = onward.pending_logins.find(tx, digest(challenge_token))
        if pending is not None and _is_passing(pending, now):
            return
        self._ask_for_password(tx, interaction)

    def _is_entering(self, tx: Transaction, interaction: Interaction, now: float) -> bool:
        """Whether somebody was let in a moment ago, and goes on from there."""
        if interaction.card != "done" or interaction.session_id is None:
            return False
        session = self.door.sessions.find(tx, interaction.session_id)
        return session is not None and now - session.created_at < PASSING_SECONDS

    def _ask_for_password(self, tx: Transaction, interaction: Interaction) -> None:
        interactions = self.onward.store.interactions
        stored = interactions.find(tx, interaction.interaction_id)
        if stored is not None and stored.progress == interaction.progress:
            interactions.show(tx, interaction.interaction_id, "password", session_id=None)


def _is_passing(pending: PendingLogin, now: float) -> bool:
    return pending.consumed_at is not None and now - pending.consumed_at < PASSING_SECONDS


def _client(interaction: Interaction) -> Client:
    """The application that the person signs in for; at our own page nothing stands between, so nothing is vouched."""
    return Client(client_id=interaction.client_id)


def _known(context: LoginContext, interaction: Interaction) -> LoginContext:
    return msgspec.structs.replace(context, client_id=interaction.client_id)


def _overtaken(refusal: Refused, interaction: Interaction) -> CardNext:
    if refusal.code != OVERTAKEN:
        raise refusal
    return CardNext(interaction.interaction_id)
