"""The gateway's policy at the console: who sees it, who changes it, and that nothing typed is lost."""

import os
import signal
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.core.policy_version import PolicyVersion
from tests.console_place import Browser, Place, console_place
from tests.saved_policy import save_policy

PATH = "/dashboard/policy"
AWAY = (
    '# 203.0.113.7 is the office\n[groups]\naway = ["nobody"]\n\n[[rule]]\nname = "away"\nwhen = { group = "away" }\n'
)
DENY, ASK = AWAY + 'then = "deny"\n', AWAY + 'then = "challenge"\n'
WRONG = DENY + 'demand = "any"\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with console_place(tmp_path_factory.mktemp("policy")) as found:
        save_policy(found.provider.gateway, DENY)
        yield found


def by_link(place: Place, role: str) -> Browser:
    """Somebody of that role, fresh."""
    browser = place.browser()
    browser.open(place.link(role))
    browser.post()
    browser.open(PATH)
    return browser


def newest(place: Place) -> PolicyVersion:
    gateway, versions = place.provider.gateway, StoredPolicyVersions()
    found = gateway.database.read(lambda tx: versions.find(tx, versions.newest(tx)))
    assert found is not None
    return found


def text_of(page: Any) -> str:
    """What stands in the box."""
    return unescape(page.text.partition('autocomplete="off">\n')[2].partition("</textarea>")[0])


def test_who_may_see_try_and_change(place: Place) -> None:
    """A reader sees rules and text, an analyst tries, an admin saves."""
    reader = by_link(place, "reader").page.text
    assert "away" in reader
    assert "<textarea" not in reader
    analyst = by_link(place, "analyst")
    tried = analyst.post(f"{PATH}/draft", document=ASK, version=str(newest(place).version), does="try", span="day")
    assert "On the past" in tried.text
    assert f"{PATH}/save" not in tried.text
    refused = analyst.post(f"{PATH}/save", document=ASK, version="1", reason="so")
    assert (refused.status_code, "role_required" in refused.text) == (403, True)
    admin = by_link(place, "admin").post(f"{PATH}/draft", document=ASK, version="1", does="check")
    assert f'action="{PATH}/save"' in admin.text


def test_a_switch_changes_its_line_and_leaves_what_was_typed(place: Place) -> None:
    """What somebody changed in the text alone is not put back by a switch that nobody touched."""
    admin = by_link(place, "admin")
    version = str(newest(place).version)
    typed = DENY.replace("deny", "challenge").replace("\n", "\r\n")
    page = admin.post(f"{PATH}/draft", document=typed, version=version, does="check", report="away")
    assert text_of(page) == ASK + "report_only = true\n"
    admin.open(PATH)
    page = admin.post(f"{PATH}/draft", document=ASK + "report_only = true\n", version=version, does="check")
    assert "report_only = true" in text_of(page)


def test_what_is_wrong_is_said_with_its_line_and_kept(place: Place) -> None:
    """When looked at, and when saved; the version in force stays."""
    before = newest(place).version
    admin = by_link(place, "admin")
    for act, fields in (("draft", {"does": "check"}), ("save", {"reason": "so"})):
        page = admin.post(f"{PATH}/{act}", document=WRONG, version=str(before), **fields)
        assert "line 9: demand says" in page.text
        assert text_of(page) == WRONG
    fields = {"was.session.freeze": "97", "session.freeze": "soon"}
    page = admin.post(f"{PATH}/draft", document=ASK, version=str(before), does="check", **fields)
    assert ("invalid_mark" in page.text, text_of(page)) == (True, ASK)
    page = admin.post(f"{PATH}/save", document=ASK, version=str(before), reason=" ")
    assert (page.status_code, "reason_required" in page.text, text_of(page)) == (422, True, ASK)
    assert newest(place).version == before


def test_of_two_who_save_the_second_is_told_and_loses_nothing(place: Place) -> None:
    """The text and the reason stay in the form, beside how they differ from the other's; a second save is meant."""
    first, second, version = by_link(place, "admin"), by_link(place, "admin"), newest(place).version
    saved = first.post(f"{PATH}/save", document=ASK, version=str(version), reason="asked, not denied")
    assert f"Version {version + 1} is in force" in saved.text
    mine = DENY + "# mine\n"
    page = second.post(f"{PATH}/save", document=mine, version=str(version), reason="my own reason")
    assert page.status_code == 412
    assert text_of(page) == mine
    for part in ("policy_changed", "asked, not denied", "my own reason", f"Save as version {version + 2}"):
        assert part in page.text
    assert newest(place).document == ASK
    second.post(f"{PATH}/save", document=mine, version=str(version + 1), reason="my own reason")
    assert (newest(place).document, newest(place).why) == (mine, "my own reason")
    assert newest(place).by.startswith("link:")


def test_a_text_waits_while_its_author_shows_a_factor(place: Place) -> None:
    """On the way to the gateway and back nothing is saved, and nothing typed is lost."""
    before = newest(place)
    admin = place.browser()
    admin.sign_in("admin", PATH)
    person, typed = place.people["admin"], DENY + "# typed before\n"
    admin.post(f"{PATH}/save", document=typed, version=str(before.version), reason="it was wrong")
    page = admin.post(code=place.code(person))
    assert str(page.url).endswith(PATH)
    assert text_of(page) == typed
    assert "it was wrong" in page.text
    assert newest(place) == before
    saved = admin.post(f"{PATH}/save", document=typed, version=str(before.version), reason="it was wrong")
    assert f"Version {before.version + 1} is in force" in saved.text
    assert newest(place).by == person.username


def test_an_earlier_one_comes_back(place: Place) -> None:
    """From its own page, unless somebody saved another meanwhile."""
    version = save_policy(place.provider.gateway, ASK + "# another\n")
    admin = by_link(place, "admin")
    assert "Bring version 1 back" in admin.open(f"{PATH}/1").text
    late = admin.post(f"{PATH}/restore", number="1", version=str(version - 1), reason="so")
    assert (late.status_code, "policy_changed" in late.text) == (412, True)
    page = admin.post(f"{PATH}/restore", number="1", version=str(version), reason="so")
    assert f"Version 1 is back, as version {version + 1}" in page.text
    assert (newest(place).document, newest(place).restored) == (DENY, 1)
    assert admin.open(f"{PATH}/999").status_code == 404


def test_a_veiled_text_is_not_saved(place: Place) -> None:
    """It would be saved as it is shown."""
    admin, before = by_link(place, "admin"), newest(place)
    admin.post("/dashboard/mask", mask="1", back=PATH)
    page = admin.open(PATH)
    assert "203.0.113.7" not in page.text
    assert "<textarea" not in page.text
    refused = admin.post(f"{PATH}/save", document="# 203.0.113.•\n", version=str(before.version), reason="so")
    assert (refused.status_code, "addresses_veiled" in refused.text) == (409, True)
    assert newest(place) == before


def test_a_text_outlasts_a_gateway_that_is_away(place: Place) -> None:
    """The page of the refusal has no room for it; the policy's page has it once the gateway answers again."""
    admin, typed = by_link(place, "admin"), DENY + "# typed while it was away\n"
    os.kill(place.provider.pid, signal.SIGSTOP)
    try:
        page = admin.post(f"{PATH}/draft", document=typed, version="1", does="check")
    finally:
        os.kill(place.provider.pid, signal.SIGCONT)
    assert (page.status_code, "gateway_unavailable" in page.text) == (503, True)
    assert text_of(admin.open(PATH)) == typed
    assert "typed while" not in admin.open(PATH).text
