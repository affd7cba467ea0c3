"""What goes by mail: settings and the gateway's parts become the mail lane and the letters of logins. No rules."""

from auth_gateway.adapters.browser_names import browser_name
from auth_gateway.adapters.catalogues import shipped_texts
from auth_gateway.adapters.letters import LetterWriter
from auth_gateway.adapters.mail import Desk, MailReceiver, by_smtp, to_the_log
from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.assembly import Gateway
from auth_gateway.flows.noticing import Noticing
from auth_gateway.flows.ports import Aftermath, NothingFollows
from auth_gateway.settings import Settings
from webhooks.delivery import Pace

NOBODY = "nobody@localhost.invalid"
# A mail server may look at a letter for a while before it takes it; nobody waits for it here.
MAIL_PACE = Pace(first_retry=5.0, longest_retry=900.0, deadline=30.0, lease=40.0)


def has_mail(settings: Settings) -> bool:
    """Whether what goes by mail is read by somebody: in the demo, by whoever reads its log. Where it is not, no link
    and no code is sent."""
    return settings.is_demo or settings.mail_server is not None


def mail_receiver(gateway: Gateway) -> MailReceiver:
    """Where letters go: to the operator's mail server, else to the log."""
    settings = gateway.settings
    writer = LetterWriter(
        texts=shipped_texts(), service=settings.brand_name or "riskgate", default_language=settings.language
    )
    desk = Desk(vault=gateway.vault, writer=writer, sender=settings.mail_from or NOBODY)
    server = settings.mail_server
    return to_the_log(desk, shows_secrets=settings.is_demo) if server is None else by_smtp(desk, server)


def aftermath(gateway: Gateway) -> Aftermath:
    """Who is told of a login from a new device or place: its owner, where there are pages to answer at and letters
    arrive."""
    if gateway.settings.provider_issuer is None or not has_mail(gateway.settings):
        return NothingFollows()
    return Noticing(
        randomness=gateway.randomness,
        mail_links=StoredMailLinks(),
        post_office=gateway.post_office,
        link_to=lambda token: link_address(gateway, token),
        device_of=device_words,
    )


def link_address(gateway: Gateway, token: str) -> str:
    """Where a link in a letter leads."""
    return f"{gateway.settings.public_url}/link/{token}"


def device_words(user_agent: str) -> str:
    """Browser and system in words that are the same in each language, "" when neither is known."""
    name = browser_name(user_agent)
    return ", ".join(filter(None, (name.browser, name.system)))
