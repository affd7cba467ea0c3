"""A person came with a password that others guess first: what stands between them and whatever they came for. Asked
once everything else that proves who they are has been shown, so that a stranger with the password alone does not choose
the next.
"""

from auth_gateway.core.claims import PASSWORD
from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.provider.account_access import FRESH_SECONDS, is_strengthened
from auth_gateway.core.provider.journey import (
    AskConsent,
    ChooseNewPassword,
    GiveCode,
    Refuse,
    SignIn,
    Standing,
    Step,
    StepUp,
)
from auth_gateway.core.session import Session


def owes_new_password(session: Session, *, is_password_listed: bool) -> bool:
    """Whether whoever this session recognised must choose another password. By a passkey alone nobody showed one."""
    return is_password_listed and PASSWORD in session.amr.split()


def before_going_on(step: Step, standing: Standing, *, is_silent: bool, now: float) -> Step:
    """`step`, or what comes before it while another password is owed.

    A new password is chosen by whoever could change it at the account's own page: after a factor where there is one,
    a short while after the password where there is none.
    """
    session = standing.session
    if session is None or not standing.owes_new_password or not isinstance(step, AskConsent | GiveCode):
        return step
    if is_silent:
        return Refuse("interaction_required", "The person must choose another password.")
    if is_enrolled(standing.factors):
        return ChooseNewPassword() if is_strengthened(session, now) else StepUp("enrolled")
    return ChooseNewPassword() if now - session.auth_time <= FRESH_SECONDS else SignIn()
