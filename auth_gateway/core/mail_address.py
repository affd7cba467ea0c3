"""Mail addresses in the one form in which they are stored and sent to."""

import re

LONGEST = 254
"""Source: RFC 5321, section 4.5.3.1.3, as corrected by erratum 1690."""
LONGEST_LOCAL = 64
# RFC 5321's Dot-string: quoted local parts are valid and nobody's.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def prepare_address(raw: str) -> str | None:
    """The address as it is stored and sent to, or None when no mail can go there.

    The domain becomes lower case and, where it has other letters, its form for the network (IDNA). The local part stays
    as it was written: whether its case matters is its own server's matter. No control character, space or second
    address passes, so that none gets into a header.
    """
    if len(raw) > LONGEST:
        return None
    local, at, domain = raw.strip(" ").rpartition("@")
    if not at or len(local) > LONGEST_LOCAL or not _LOCAL.fullmatch(local):
        return None
    host = _network_form(domain)
    if host is None or len(f"{local}@{host}") > LONGEST:
        return None
    return f"{local}@{host}"


def stored_address(raw: str) -> str:
    """The address as an account keeps it: prepared, or as it is where no mail can go there anyway."""
    return prepare_address(raw) or raw


def _network_form(domain: str) -> str | None:
    try:
        host = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = host.split(".")
    return host if len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) else None
