"""What an operator does for somebody who wants nothing to be left of them. No rules."""

from collections.abc import Sequence

from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.erasure import StoredErasure
from auth_gateway.assembly import Gateway
from auth_gateway.core.account import Account
from auth_gateway.core.ssf import subject
from auth_gateway.flows.erasure import EraseAccount
from auth_gateway.flows.folding import Told
from auth_gateway.flows.ports import Logged
from auth_gateway.telling import SUBJECTS_PURPOSE, stream_teller, teller
from plumbing.statements import Transaction


def erase_account(gateway: Gateway) -> EraseAccount:
    """Erases people, and tells whoever is told of events."""
    destinations, tell, streams = StoredDestinations(), teller(gateway), stream_teller(gateway)
    if streams is not None:
        gateway.ring.prepare()  # what streams are told is signed

    def tellings(tx: Transaction, logged: Logged) -> Sequence[Told]:
        listening = [each for each in destinations.list(tx) if each.disabled_at is None]
        tokens = [] if streams is None else streams.told(tx, logged, streams.listening(tx))
        return [*tell(logged, listening), *tokens]

    def covered(account: Account) -> tuple[str, ...]:
        key = gateway.vault.derive(SUBJECTS_PURPOSE)
        known_by = (subject.by_id(account.user_id), subject.by_email(account.email))
        return tuple(subject.covered(each, key) for each in known_by if each)

    return EraseAccount(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        sessions=gateway.sessions,
        ending=gateway.ending,
        audit=gateway.audit,
        outbox=gateway.outbox,
        erasing=StoredErasure(),
        vault=gateway.vault,
        tellings=tellings,
        covered=covered,
        has_scorer=gateway.settings.risk_api_credential is not None,
    )
