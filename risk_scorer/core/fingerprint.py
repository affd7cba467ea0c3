"""What a JA4 (TLS client) fingerprint says by its form, and whether it fits the browser that the user agent claims.

JA4 alone is read. JA4H and JA4S stay opaque strings everywhere: their method is under a licence that forbids computing
them commercially. Which client a fingerprint is known for is data, looked up by the adapter.
"""

from risk_scorer.core.facts import AgentFacts, FingerprintFacts

OLD_VERSIONS = frozenset({"1.2", "1.1", "1.0", "ssl3", "ssl2"})
NO_ALPN = "00"
BETWEEN_CLIENTS = "/"

CHROMIUM, FIREFOX, SAFARI = "Chromium", "Firefox", "Safari"
ENGINES = frozenset({CHROMIUM, FIREFOX, SAFARI})
_CHROMIUMS = (
    "Chrome", "Chrome Mobile", "Chrome Mobile WebView", "Chromium", "Edge", "Edge Mobile", "Opera", "Opera Mobile",
    "Samsung Internet", "Brave", "Vivaldi", "Yandex Browser", "HeadlessChrome", "Electron", "Whale", "DuckDuckGo",
)  # fmt: skip
_CLIENT_OF_BROWSER = {
    **dict.fromkeys(_CHROMIUMS, CHROMIUM),
    **dict.fromkeys(("Firefox", "Firefox Mobile"), FIREFOX),
    **dict.fromkeys(("Safari", "Mobile Safari", "Mobile Safari UI/WKWebView"), SAFARI),
    **dict.fromkeys(("Python Requests", "Python aiohttp", "aiohttp", "Python-urllib", "python-httpx"), "Python"),
    "Go-http-client": "Go",
    "IE": "WinINet",
}
_BROWSERS_ON_IOS = frozenset({
    "Mobile Safari", "Mobile Safari UI/WKWebView", "Edge Mobile", "Opera Mobile", "Google", "Facebook", "Instagram",
    "DuckDuckGo Mobile", "Brave", "Vivaldi",
})  # fmt: skip
FIRST_WITH_TLS_1_3 = {"Chrome": 70, "Chrome Mobile": 70, "Edge": 79, "Firefox": 63, "Firefox Mobile": 63, "Safari": 14}
"""First major version that offers TLS 1.3 (and ALPN) unasked. Source: caniuse.com, "TLS 1.3"; Safari 14 is macOS 11."""


def claimed_client(agent: AgentFacts) -> str | None:
    """The TLS client that a browser of this name has, or None when we cannot say.

    Every browser on iOS has Safari's: the platform's WebKit makes the connection, whatever the name on it. Apps with
    their own name may connect in ways of their own.
    """
    if agent.os == "iOS":
        return SAFARI if agent.browser.endswith(" iOS") or agent.browser in _BROWSERS_ON_IOS else None
    return _CLIENT_OF_BROWSER.get(agent.browser)


def agrees(fingerprint: FingerprintFacts, agent: AgentFacts) -> bool | None:
    """Whether the connection was made by the client that the user agent claims; None when it cannot be told.

    A program that borrows a browser's user agent still shakes hands as the program it is.
    """
    claimed = claimed_client(agent)
    if not fingerprint.parses or claimed is None:
        return None
    if fingerprint.client is not None:
        return claimed in fingerprint.client.split(BETWEEN_CLIENTS)
    return False if _is_too_old(fingerprint, agent) else None


def contradicts(fingerprint: FingerprintFacts, agent: AgentFacts) -> bool:
    """Whether fingerprint and user agent cannot both be true. Not knowing is no contradiction."""
    return agrees(fingerprint, agent) is False


def _is_too_old(fingerprint: FingerprintFacts, agent: AgentFacts) -> bool:
    """Whether the hello lacks what this version of the browser always offers: TLS 1.3 and an ALPN."""
    first = FIRST_WITH_TLS_1_3.get(agent.browser)
    version = agent.browser_version
    if first is None or not (version.isascii() and version.isdigit()) or int(version) < first:
        return False
    return fingerprint.tls_version in OLD_VERSIONS or fingerprint.alpn == NO_ALPN
