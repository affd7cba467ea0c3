"""What a user agent claims: browser, system, kind of device, and whether it is a program."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.adapters.user_agents import LONGEST_USER_AGENT, UserAgents
from risk_scorer.core.facts import NO_AGENT_FACTS

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = UserAgents()


@pytest.mark.parametrize(
    ("text", "browser", "version", "system", "device"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36",
         "Chrome", "124", "Windows", "desktop"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36 Edg/124.0.0.0",
         "Edge", "124", "Windows", "desktop"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
         "Firefox", "125", "Linux", "desktop"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
         "Safari/605.1.15", "Safari", "17", "Mac OS X", "desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
         "Mobile/15E148 Safari/604.1", "Mobile Safari", "17", "iOS", "mobile"),
        ("Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
         "Mobile/15E148 Safari/604.1", "Mobile Safari", "17", "iOS", "tablet"),
        (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/124.0.0.0 Mobile Safari/537.36",
         "Chrome Mobile", "124", "Android", "mobile"),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X906C) {WEBKIT} Chrome/124.0.0.0 Safari/537.36",
         "Chrome", "124", "Android", "tablet"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)", "Android", "14", "Android", "mobile"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/124.0.0.0 Safari/537.36",
         "Chrome", "124", "Chrome OS", "desktop"),
        ("Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Tablet PC 2.0)", "IE", "9", "Windows", "desktop"),
        (f"Mozilla/5.0 (Linux; Android 9; CUBOT X18) {WEBKIT} Chrome/80.0.3987.99 Mobile Safari/537.36",
         "Chrome Mobile", "80", "Android", "mobile"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X)", "", "", "Mac OS X", "desktop"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36", "", "", "Tizen", "unknown"),
    ],
)  # fmt: skip
def test_people_at_browsers_are_read_as_such(text: str, browser: str, version: str, system: str, device: str) -> None:
    """Families as the public rules name them, versions by their major number, and no robot among them."""
    found = AGENTS.facts(text)
    assert (found.os, found.device_type, found.is_bot) == (system, device, False)
    assert (found.browser, found.browser_version) == (browser, version)


@pytest.mark.parametrize(
    "text",
    [
        "curl/8.5.0",
        "python-requests/2.31.0",
        "Python/3.12 aiohttp/3.9.1",
        "Go-http-client/2.0",
        "Wget/1.21",
        "Java/17.0.1",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/120.0 Safari/537.36",
        "sqlmap/1.7 (https://sqlmap.org)",
    ],
)
def test_a_program_that_gives_its_name_is_a_program(text: str) -> None:
    """Libraries, crawlers, headless browsers and attack tools."""
    found = AGENTS.facts(text)
    assert (found.is_bot, found.device_type) == (True, "bot")


def test_an_absent_user_agent_is_no_facts() -> None:
    """Nothing is known, and that it is a person least of all."""
    assert AGENTS.facts("") == NO_AGENT_FACTS
    assert AGENTS.facts("").device_type == "unknown"


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """The text comes from strangers; lone surrogates and NUL included."""
    assert AGENTS.facts(text).device_type in {"desktop", "mobile", "tablet", "bot", "unknown"}


@pytest.mark.parametrize("text", ["\ud800", "\0", "\udcff Chrome/124.0 \ud83d", "é" * 3_000])
def test_what_is_no_proper_unicode_is_read_too(text: str) -> None:
    """A surrogate that survived decoding must not become an error."""
    assert AGENTS.facts(text).os == ""


def test_nothing_after_2048_characters_is_read() -> None:
    """The contract refuses longer ones; the adapter does not rely on it."""
    filler = "x" * LONGEST_USER_AGENT
    assert AGENTS.facts(filler + " Googlebot/2.1") == AGENTS.facts(filler)
    assert AGENTS.facts(filler[:-13] + "Googlebot/2.1").is_bot


@pytest.mark.parametrize(
    "part",
    ["Mozilla/5.0 (", "a/", "(", "Android ", "Mozilla/5.0 (Linux; Android 1", " ", "/", "; ", "Chrome/1.", "\0", "é",
     "iPhone OS 1_", "Version/1.1 ", "aaaa;bbbb/", "SAMSUNG-", "Opera Mini/"],
)  # fmt: skip
def test_no_text_takes_long_to_read(part: str) -> None:
    """The engine is linear in the text: the worst 2,048 characters take milliseconds, never seconds."""
    text = (part * LONGEST_USER_AGENT)[:LONGEST_USER_AGENT]
    started = time.process_time()
    AGENTS.facts(text)
    assert time.process_time() - started < 1.0
