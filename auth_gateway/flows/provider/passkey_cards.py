"""Passkeys on the cards of the sign-in page: alone where a name and a password would be, and as a second factor."""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import LoginContext
from auth_gateway.core.facts import facts_of
from auth_gateway.core.provider.authorization import Interaction
from auth_gateway.flows.challenge import Awaited
from auth_gateway.flows.passkey_login import PasskeyLogin
from auth_gateway.flows.passkeys import PasskeyCeremonies
from auth_gateway.flows.proofs import PasskeyProof
from auth_gateway.flows.provider.sign_in import CardAnswer, SignInPage


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCards:
    """Asks for passkeys on cards, and answers what comes back."""

    ceremonies: PasskeyCeremonies
    login: PasskeyLogin
    page: SignInPage

    def options(self, interaction: Interaction) -> str:
        """What the card asks the browser, as JSON; "" where it asks for no passkey."""
        if interaction.card == "password":
            return self.ceremonies.sign_in_options(interaction.interaction_id)
        awaited = self.page.awaited(interaction)
        if awaited is None or "passkey" not in awaited.methods:
            return ""
        return self.ceremonies.step_up_options(awaited.pending.user_id, _bound_to(awaited)) or ""

    async def sign_in(
        self, interaction: Interaction, credential: str, context: LoginContext, *, shown: bytes | None
    ) -> CardAnswer:
        """A passkey alone, of whoever sits there.

        Raises: Refused("busy" or "storage_unavailable", 503); then nobody is let in.
        """
        return await self.page.enter(
            interaction,
            lambda client, entrance: self.login(
                credential, interaction.interaction_id, context, client, entrance=entrance
            ),
            context,
            shown=shown,
        )

    async def step_up(
        self,
        interaction: Interaction,
        credential: str,
        context: LoginContext,
        *,
        shown: bytes | None,
        trusts: bool = False,
    ) -> CardAnswer:
        """A passkey beside what was shown before; a bad answer counts as a wrong code does. `trusts` is the person's
        word that this browser is theirs alone.

        Raises: Refused("storage_unavailable", 503).
        """
        awaited = self.page.awaited(interaction)
        if awaited is None:  # the challenge is over, and says so whatever is shown
            nothing = PasskeyProof(user_id="", is_user_verified=False, spend=lambda _tx: False)
            return await self.page.factor(interaction, nothing, context, shown=shown)
        ceremonies, pending = self.ceremonies, awaited.pending
        line = AuditEvent(
            event_id=ceremonies.randomness.event_id("evt"),
            ts=ceremonies.clock.now(),
            kind="challenge.failed",
            client_id=interaction.client_id,
            ip=context.ip,
            facts=facts_of(context, None, path="step_up"),
        )
        proof = ceremonies.proof(credential, _bound_to(awaited), line, expected_user_id=pending.user_id)
        return await self.page.factor(interaction, proof, context, shown=shown, trusts=trusts)


def _bound_to(awaited: Awaited) -> str:
    """A passkey's answer counts for the one challenge that it was asked for."""
    return awaited.pending.token_digest.hex()
