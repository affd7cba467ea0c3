"""Links in mails and what comes of them: reports, recovery, sign-up. No rules."""

from functools import partial

from fastapi import FastAPI

from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.recoverable import StoredRecoverables
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.api.login import LoginRoutes
from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.letter_form import AskLetter, LetterForm, no_letters
from auth_gateway.api.provider.links import LinkPage, LinkRoutes, WasThisYouPage
from auth_gateway.api.provider.recovery import ResetPage
from auth_gateway.api.provider.sign_up import SignUpPage
from auth_gateway.core.letter import LinkPurpose
from auth_gateway.flows.foreign_factors import ForeignFactors
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.recovery import Recovery
from auth_gateway.flows.recovery_request import AskRecovery
from auth_gateway.flows.reporting import Reporting
from auth_gateway.flows.sign_up import AskSignUp, SignUp
from auth_gateway.mailing import has_mail, link_address
from auth_gateway.opening import CannotStart
from auth_gateway.service import Service
from auth_gateway.wiring import passkeys, sign_in

MAIL_LINKS = StoredMailLinks()
RECOVERABLES = StoredRecoverables()
TRUSTED_DEVICES = StoredTrustedDevices()


def add(app: FastAPI, service: Service) -> None:
    """Serve them.

    Raises: CannotStart where accounts are to be made by mail and no mail arrives.
    """
    settings = service.gateway.settings
    own, routes = sign_in.browsers(service), service.login_routes()
    links = LinkRoutes(
        browsers=own,
        links=open_links(service),
        pages=_pages(service, own, routes),
        wake_delivery=service.wake,
    )
    app.add_api_route("/link/{token}", links.get_link, methods=["GET"], include_in_schema=False)
    app.add_api_route("/link/{token}", links.post_link, methods=["POST"], include_in_schema=False)
    if has_mail(settings):
        _serve_form(app, "/recover", _form(service, own, "recover", _ask_recovery(service)))
    else:
        app.add_api_route("/recover", partial(no_letters, own.pages), methods=["GET"], include_in_schema=False)
    if settings.sign_up and not has_mail(settings):
        raise CannotStart("SIGN_UP needs SMTP_URL and MAIL_FROM: accounts are made by a link in a mail")
    if settings.sign_up:
        _serve_form(app, "/sign-up", _form(service, own, "sign_up", _ask_sign_up(service)))


def open_links(service: Service) -> OpenLinks:
    """Finds links."""
    gateway = service.gateway
    return OpenLinks(database=gateway.database, clock=gateway.clock, mail_links=MAIL_LINKS)


def reporting(service: Service) -> Reporting:
    """What takes the owner's word about a sign-in."""
    gateway = service.gateway
    return Reporting(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        recoverables=RECOVERABLES,
        sessions=gateway.sessions,
        trusted_devices=TRUSTED_DEVICES,
        ending=gateway.ending,
        links=open_links(service),
        mail_links=MAIL_LINKS,
        post_office=gateway.post_office,
        recorder=service.login_routes().login.recorder,
    )


def _serve_form(app: FastAPI, path: str, form: LetterForm) -> None:
    app.add_api_route(path, form.get_form, methods=["GET"], include_in_schema=False)
    app.add_api_route(path, form.post_form, methods=["POST"], include_in_schema=False)


def _pages(service: Service, own: Browsers, routes: LoginRoutes) -> dict[LinkPurpose, LinkPage]:
    pages: dict[LinkPurpose, LinkPage] = {
        "was_this_you": WasThisYouPage(browsers=own, reporting=reporting(service)),
        "recover": ResetPage(
            browsers=own, recovery=_recovery(service, routes), ceremonies=passkeys.ceremonies(service.gateway)
        ),
    }
    if service.gateway.settings.sign_up:
        pages["verify_email"] = SignUpPage(browsers=own, sign_up=_sign_up(service))
    return pages


def _form(service: Service, own: Browsers, key: str, ask: AskLetter) -> LetterForm:
    return LetterForm(key=key, browsers=own, ask=ask, floor=service.floor, wake_delivery=service.wake)


def _ask_recovery(service: Service) -> AskRecovery:
    gateway = service.gateway
    return AskRecovery(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        throttle=service.throttle,
        users=gateway.users,
        recoverables=RECOVERABLES,
        mail_links=MAIL_LINKS,
        post_office=gateway.post_office,
        audit=gateway.audit,
        link_to=partial(link_address, gateway),
    )


def _recovery(service: Service, routes: LoginRoutes) -> Recovery:
    gateway, complete = service.gateway, routes.complete
    return Recovery(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        throttle=service.throttle,
        scorer=service.scorer,
        policy=complete.policy,
        users=gateway.users,
        recoverables=RECOVERABLES,
        sessions=gateway.sessions,
        trusted_devices=TRUSTED_DEVICES,
        ending=gateway.ending,
        foreign_factors=ForeignFactors(
            audit=gateway.audit,
            sessions=gateway.sessions,
            factors=gateway.factors,
            passkeys=StoredPasskeys(),
            recovery_codes=StoredRecoveryCodes(),
        ),
        links=open_links(service),
        mail_links=MAIL_LINKS,
        proving=complete.proving,
        new_passwords=gateway.new_passwords,
        new_hashes=service.passwords,
        post_office=gateway.post_office,
        recorder=complete.recorder,
        ticket_key=gateway.vault.derive("recovery-ticket"),
    )


def _ask_sign_up(service: Service) -> AskSignUp:
    gateway = service.gateway
    return AskSignUp(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        throttle=service.throttle,
        users=gateway.users,
        recoverables=RECOVERABLES,
        mail_links=MAIL_LINKS,
        post_office=gateway.post_office,
        link_to=partial(link_address, gateway),
    )


def _sign_up(service: Service) -> SignUp:
    gateway = service.gateway
    return SignUp(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        recoverables=RECOVERABLES,
        links=open_links(service),
        mail_links=MAIL_LINKS,
        new_passwords=gateway.new_passwords,
        new_hashes=service.passwords,
        audit=gateway.audit,
    )
