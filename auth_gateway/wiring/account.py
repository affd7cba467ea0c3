"""The pages of the own account. No rules."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.adapters.browser_names import browser_name
from auth_gateway.adapters.qr_codes import qr_picture
from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.api.provider.account.authenticator import AuthenticatorRoutes
from auth_gateway.api.provider.account.gate import AccountGate
from auth_gateway.api.provider.account.overview import OverviewRoutes
from auth_gateway.api.provider.account.passkeys import PasskeyRoutes
from auth_gateway.api.provider.account.password import PasswordRoutes
from auth_gateway.api.provider.account.recovery_codes import RecoveryCodeRoutes
from auth_gateway.api.provider.account.report import ReportRoutes
from auth_gateway.assembly import Gateway
from auth_gateway.core.recovery_code import KEY_PURPOSE
from auth_gateway.flows.account.authenticator import Authenticators
from auth_gateway.flows.account.changes import Changes
from auth_gateway.flows.account.current_password import CurrentPassword
from auth_gateway.flows.account.door import AccountDoor
from auth_gateway.flows.account.overview import Overviews
from auth_gateway.flows.account.passkeys import AccountPasskeys
from auth_gateway.flows.account.password import ChangePassword
from auth_gateway.flows.account.recovery_codes import MakeRecoveryCodes
from auth_gateway.flows.account.sessions import SignOuts
from auth_gateway.service import Service
from auth_gateway.wiring import links, passkeys, sign_in

Address = tuple[str, str, Callable[[Request], Awaitable[Response]]]

PASSKEYS = StoredPasskeys()
RECOVERY_CODES = StoredRecoveryCodes()
TRUSTED_DEVICES = StoredTrustedDevices()


def add(app: FastAPI, service: Service) -> None:
    """Serve them."""
    gateway = service.gateway
    door = AccountDoor(authorize=sign_in.authorize_by(gateway, service.login_routes()))
    gate = AccountGate(browsers=sign_in.browsers(service), door=door, wake_delivery=service.wake)
    changes, overviews = _changes(gateway, door), _overviews(gateway)
    sign_outs = _sign_outs(gateway, changes)
    has_passkeys = passkeys.registration(gateway) is not None
    overview = OverviewRoutes(
        gate=gate, overviews=overviews, sign_outs=sign_outs, name_browser=browser_name, has_passkeys=has_passkeys
    )
    totp = AuthenticatorRoutes(gate=gate, authenticators=_authenticators(service, changes), picture=qr_picture)
    codes = RecoveryCodeRoutes(gate=gate, overviews=overviews, make=_recovery_codes(gateway, changes))
    password = PasswordRoutes(gate=gate, change=_password(service, changes, sign_outs))
    report = ReportRoutes(gate=gate, overviews=overviews, reporting=links.reporting(service), name_browser=browser_name)
    app.add_api_route("/", overview.get_front, methods=["GET"], include_in_schema=False)
    for method, path, endpoint in (
        ("GET", "", overview.get_account),
        ("POST", "/sessions/end", overview.post_session),
        ("POST", "/sessions/end-all", overview.post_sessions),
        ("POST", "/devices/distrust", overview.post_device),
        ("POST", "/applications/end", overview.post_application),
        ("GET", "/report/{event_id}", report.get_page),
        ("POST", "/report/{event_id}", report.post_page),
        ("GET", "/authenticator", totp.get_page),
        ("POST", "/authenticator", totp.post_page),
        ("POST", "/authenticator/remove", totp.post_removal),
        ("GET", "/recovery-codes", codes.get_page),
        ("POST", "/recovery-codes", codes.post_page),
        ("GET", "/password", password.get_page),
        ("POST", "/password", password.post_page),
        *_passkey_addresses(gate, _passkeys(service, changes)),
        ("GET", "/{rest:path}", overview.get_nothing),
    ):
        app.add_api_route(f"/account{path}", endpoint, methods=[method], include_in_schema=False)


def _passkey_addresses(gate: AccountGate, own: AccountPasskeys | None) -> list[Address]:
    """None where browsers have no passkeys for us."""
    if own is None:
        return []
    keys = PasskeyRoutes(gate=gate, passkeys=own)
    return [
        ("GET", "/passkeys", keys.get_page),
        ("POST", "/passkeys", keys.post_page),
        ("POST", "/passkeys/rename", keys.post_name),
        ("POST", "/passkeys/remove", keys.post_removal),
    ]


def _changes(gateway: Gateway, door: AccountDoor) -> Changes:
    return Changes(
        database=gateway.database,
        randomness=gateway.randomness,
        door=door,
        audit=gateway.audit,
        post_office=gateway.post_office,
        trusted_devices=TRUSTED_DEVICES,
    )


def _overviews(gateway: Gateway) -> Overviews:
    return Overviews(
        database=gateway.database,
        sessions=gateway.sessions,
        session_clients=gateway.provider.session_clients,
        consents=gateway.provider.consents,
        clients=gateway.clients,
        factors=gateway.factors,
        passkeys=PASSKEYS,
        recovery_codes=RECOVERY_CODES,
        trusted_devices=TRUSTED_DEVICES,
        audit=gateway.audit,
    )


def _sign_outs(gateway: Gateway, changes: Changes) -> SignOuts:
    return SignOuts(
        changes=changes,
        ending=gateway.ending,
        sessions=gateway.sessions,
        consents=gateway.provider.consents,
        session_clients=gateway.provider.session_clients,
    )


def _current_password(service: Service) -> CurrentPassword:
    return CurrentPassword(throttle=service.throttle, passwords=service.passwords)


def _authenticators(service: Service, changes: Changes) -> Authenticators:
    gateway = service.gateway
    return Authenticators(
        changes=changes,
        vault=gateway.vault,
        factors=gateway.factors,
        passkeys=PASSKEYS,
        recovery_codes=RECOVERY_CODES,
        seen_once=gateway.provider.seen_once,
        current_password=_current_password(service),
        issuer_name=gateway.settings.brand_name,
    )


def _recovery_codes(gateway: Gateway, changes: Changes) -> MakeRecoveryCodes:
    return MakeRecoveryCodes(
        changes=changes,
        factors=gateway.factors,
        passkeys=PASSKEYS,
        recovery_codes=RECOVERY_CODES,
        seen_once=gateway.provider.seen_once,
        key=gateway.vault.derive(KEY_PURPOSE),
    )


def _password(service: Service, changes: Changes, sign_outs: SignOuts) -> ChangePassword:
    gateway = service.gateway
    return ChangePassword(
        changes=changes,
        sign_outs=sign_outs,
        current_password=_current_password(service),
        new_hashes=service.passwords,
        users=gateway.users,
        browser_sessions=gateway.provider.browser_sessions,
        new_passwords=gateway.new_passwords,
    )


def _passkeys(service: Service, changes: Changes) -> AccountPasskeys | None:
    gateway = service.gateway
    registration = passkeys.registration(gateway)
    if registration is None:
        return None
    return AccountPasskeys(
        changes=changes,
        registration=registration,
        passkeys=PASSKEYS,
        factors=gateway.factors,
        recovery_codes=RECOVERY_CODES,
        current_password=_current_password(service),
    )
