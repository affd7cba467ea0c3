"""How media types that Schemathesis does not know are put on the wire; it loads this by itself, apart from us."""

import schemathesis


@schemathesis.serializer("application/secevent+jwt")
def token(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """A token is text as it stands: RFC 8417, section 2.2."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", errors="ignore")
