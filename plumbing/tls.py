"""TLS with certificates of our own: a server that asks who calls, a caller that shows it, and files that are exchanged
while both run.
"""

import os
import ssl
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import httpx2
import structlog

from plumbing.clock import Clock, SystemClock

LOOK_SECONDS: Final = 10.0
"""A new certificate is shown to new connections after this time at the latest."""
_CALLER: Final = ssl.PROTOCOL_TLS_CLIENT

log = structlog.get_logger("plumbing.tls")


class BadCertificates(ValueError):
    """The files are not there, are not PEM, or do not belong together; the text shows nothing of them."""


class Identity(NamedTuple):
    """Files in PEM form: the certificate with those between it and its authority, and its key, which may stand in the
    same file."""

    certificate: Path
    key: Path | None = None


class Certified:
    """A TLS context that follows its files. What is broken or half written is passed over: the old certificate stays.

    An authority that is added is believed without a restart; one that is taken away, until there is one.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        identity: Identity | None,
        authority: Path | None,
        clock: Clock | None = None,
    ) -> None:
        """Raises: BadCertificates."""
        self.context = context
        self._identity = identity
        self._authority = authority
        self._clock = clock or SystemClock()
        self._looked_at = self._clock.monotonic()
        self._stamp = self._stamps()
        self._load()

    def follow(self) -> None:
        """Take what has changed, if it is time to look; a look costs a few system calls."""
        now = self._clock.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        stamp = self._stamps()
        if stamp == self._stamp:
            return
        try:
            self._load()
        except BadCertificates as error:
            log.warning("certificates_unusable", reason=str(error))
            return
        self._stamp = stamp
        log.info("certificates_exchanged")

    def _load(self) -> None:
        # Tried elsewhere first: a certificate without its key would spoil the context in use.
        for context in (ssl.SSLContext(_CALLER), self.context):
            try:
                if self._identity is not None:
                    context.load_cert_chain(self._identity.certificate, self._identity.key, password=_no_password)
                if self._authority is not None:
                    context.load_verify_locations(cafile=self._authority)
            except (OSError, ValueError):  # SSLError is an OSError
                raise BadCertificates("must be files of certificates and their key in PEM form") from None

    def _stamps(self) -> tuple[object, ...]:
        files = [*(self._identity or ()), self._authority]
        return tuple(_stamp(file) for file in files if file is not None)


def calling(*, authority: Path | None, identity: Identity | None) -> Certified:
    """How we call a server of our own: believing that authority alone (else the usual ones), showing who we are.

    Raises: BadCertificates.
    """
    # The usual ones are those that webhooks go by: a slim container has none of its own.
    context = httpx2.create_ssl_context(trust_env=False) if authority is None else ssl.SSLContext(_CALLER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return Certified(context, identity=identity, authority=authority)


def answering(identity: Identity, *, callers_authority: Path | None) -> ssl.SSLContext:
    """How we answer: with that certificate, and where there is an authority for callers, to those alone that it knows.

    Raises: BadCertificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_NONE if callers_authority is None else ssl.CERT_REQUIRED
    certified = Certified(context, identity=identity, authority=callers_authority)
    # Called with each greeting, whether it names a server or not: what is exchanged holds from the next one on.
    context.sni_callback = partial(_on_greeting, certified)
    return context


def _on_greeting(certified: Certified, _connection: object, _name: str | None, _context: ssl.SSLContext) -> None:
    certified.follow()


def _no_password() -> str:
    """A key that needs one is refused; the library would ask at the terminal."""
    return ""


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
