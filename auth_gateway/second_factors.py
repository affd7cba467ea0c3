"""What people show beside the password: settings and the gateway's parts become second factors. No rules."""

from auth_gateway.adapters.storage.guesses import StoredGuesses
from auth_gateway.adapters.storage.mailed_codes import StoredMailedCodes
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.assembly import Gateway
from auth_gateway.core import mailed_code, recovery_code
from auth_gateway.flows.challenge import CompleteLogin
from auth_gateway.flows.mailed_code import MailCode
from auth_gateway.flows.proofs import Proving
from auth_gateway.flows.trust import Trust


def proving(gateway: Gateway) -> Proving:
    """Looks at what is shown."""
    return Proving(
        vault=gateway.vault,
        factors=gateway.factors,
        recovery_codes=StoredRecoveryCodes(),
        mailed_codes=StoredMailedCodes(),
        guesses=StoredGuesses(),
        recovery_key=gateway.vault.derive(recovery_code.KEY_PURPOSE),
        mailed_key=gateway.vault.derive(mailed_code.KEY_PURPOSE),
    )


def trust(gateway: Gateway) -> Trust:
    """Begins trust in browsers."""
    return Trust(randomness=gateway.randomness, trusted_devices=StoredTrustedDevices(), audit=gateway.audit)


def mail_code(gateway: Gateway, complete: CompleteLogin) -> MailCode:
    """Sends codes for the challenges that `complete` answers."""
    return MailCode(
        complete=complete,
        mailed_codes=StoredMailedCodes(),
        guesses=StoredGuesses(),
        post_office=gateway.post_office,
        audit=gateway.audit,
        key=gateway.vault.derive(mailed_code.KEY_PURPOSE),
    )
