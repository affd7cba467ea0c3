"""The mail server that an operator names, read from its address. Connecting is in `mail`."""

import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

SUBMISSION_PORT: Final = 587
SUBMISSIONS_PORT: Final = 465
"""Source: RFC 6409, section 3.1, and RFC 8314, section 3.3."""
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where mails are handed over. Either the connection begins with TLS, or it must be turned to TLS before anything
    is said; only on this very machine may it stay as it is. `tls` replaces the usual trust, for a private authority."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    begins_with_tls: bool = False
    must_start_tls: bool = True
    tls: ssl.SSLContext | None = None


def mail_server(url: str) -> MailServer:
    """The server of `smtp://user:password@host:port` or `smtps://…`; user and port may be left out.

    Raises:
        ValueError: it has another form. The URL is not repeated, since it may hold a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.scheme not in {"smtp", "smtps"} or parts.path not in {"", "/"}:
        raise ValueError("must be a mail server such as smtp://user:password@host:587 or smtps://host")
    if parts.query or parts.fragment or not (user + password).isprintable():
        raise ValueError("must be a mail server such as smtp://user:password@host:587 or smtps://host")
    begins_with_tls = parts.scheme == "smtps"
    return MailServer(
        host=host,
        port=port or (SUBMISSIONS_PORT if begins_with_tls else SUBMISSION_PORT),
        user=user,
        password=password,
        begins_with_tls=begins_with_tls,
        must_start_tls=not begins_with_tls and host not in LOOPBACK,
    )
