"""Where events go beside webhooks: a destination's address becomes a syslog server or a file, within what the settings
allow. No rules of its own.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from auth_gateway.flows.destinations import CheckUrl
from auth_gateway.settings import Settings
from plumbing.refusals import Refused
from webhooks.line_file import FileReceiver
from webhooks.syslog import SyslogReceiver
from webhooks.syslog_server import syslog_server
from webhooks.targets import TargetRefused

_FILE: Final = re.compile(r"file:([A-Za-z0-9][A-Za-z0-9._-]{0,127})")
_WORDS: Final = {
    "bad_url": "an address is syslog+tls://host:port, syslog+tcp://… or syslog+udp://…",
    "not_tls": "without TLS a syslog server is spoken to in SYSLOG_NETWORKS alone",
    "inside": "a syslog server inside must be in SYSLOG_NETWORKS",
    "bad_file": "an address is file:NAME, with letters, digits, dots, dashes and underscores",
    "no_directory": "files need EVENTS_DIRECTORY, and it must be there",
}


def syslog_receiver(name: str, url: str, settings: Settings) -> SyslogReceiver:
    """How to send to that server.

    Raises: TargetRefused when it is none that we send to.
    """
    is_tls = url.startswith("syslog+tls:")
    server = syslog_server(url, networks=settings.syslog_networks, tls=settings.syslog_trust() if is_tls else None)
    return SyslogReceiver(name=name, server=server)


def file_receiver(name: str, url: str, settings: Settings) -> FileReceiver:
    """How to write to that file.

    Raises: TargetRefused when it is none that we write to.
    """
    return FileReceiver(name=name, path=_directory(settings) / _file_name(url))


def check_syslog(settings: Settings) -> CheckUrl:
    """Lets an address pass that we would send to."""

    def check(url: str) -> None:
        with _in_words():
            syslog_receiver("", url, settings)

    return check


def check_file(settings: Settings) -> CheckUrl:
    """Lets an address pass that we would write to."""

    def check(url: str) -> None:
        with _in_words():
            if not file_receiver("", url, settings).path.parent.is_dir():
                raise TargetRefused("no_directory")

    return check


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except TargetRefused as refused:
        raise Refused("invalid_destination", _WORDS[refused.code], status=400) from None


def _directory(settings: Settings) -> Path:
    if settings.events_directory is None:
        raise TargetRefused("no_directory")
    return settings.events_directory


def _file_name(url: str) -> str:
    found = _FILE.fullmatch(url)
    if found is None:
        raise TargetRefused("bad_file")
    return found.group(1)
