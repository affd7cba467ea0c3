"""Looking for campaigns on both databases: found, kept, continued, ended, told of, and forgotten with a person."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.activity.campaign_reading import listed
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.lesson_rows import SEE
from risk_scorer.adapters.tables import account_scores, campaign_members, outbox
from risk_scorer.contract.signals import SessionRiskSignal
from risk_scorer.core.campaigns.sighting import Sighting
from risk_scorer.core.lessons import Taught, encode_taught
from tests.campaign_crowds import DAY, NOW, bots, people, stuffing
from tests.integration.risk_scorer.campaign_events import campaigns, done, incident_rows, logged_in, members, watch_of

Chance = random.Random
TOLD = Statement(select(outbox.c.message_id, outbox.c.body, outbox.c.endpoint))
MEMBERS = Statement(select(campaign_members.c.user_id))
SCORES = Statement(select(account_scores.c.user_id))


def names(count: int, name: str = "bot") -> set[str]:
    return {f"{name}-{number}" for number in range(count)}


def told(database: Database) -> list[SessionRiskSignal]:
    rows = database.read(lambda tx: tx.all(TOLD))
    return [msgspec.json.decode(row[1], type=SessionRiskSignal) for row in rows]


def test_bots_in_either_log_are_found_and_an_office_is_not(database: Database, clock: FixedClock) -> None:
    """Twelve bots in sessions, twelve at the door, two hundred people behind one address in both."""
    done(database, people(200, Chance(3), address="192.0.2.1", name="office"))
    logged_in(database, people(200, Chance(4), address="192.0.2.1", name="office"))
    done(database, bots(12, Chance(1)))
    logged_in(database, bots(12, Chance(2), name="door", ja4="t13d-door", every=50.0, network="46.9"))
    looked = watch_of(database, clock).look()
    assert looked is not None
    assert (looked.campaigns, looked.settled.opened, looked.settled.told) == (2, 2, 24)
    found = [members(database, each.campaign_id) for each in campaigns(database, "open")]
    assert sorted(map(sorted, found)) == sorted(map(sorted, (names(12), names(12, "door"))))


def test_a_campaign_that_grows_keeps_its_id_and_one_that_ends_is_closed(database: Database, clock: FixedClock) -> None:
    """Twelve, then sixteen behind other proxies, then silence; the first members are remembered."""
    watch = watch_of(database, clock)
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    watch.look()
    [first] = campaigns(database)
    clock.advance(3600.0)
    done(database, bots(16, Chance(2), began=NOW + 60.0, network="47.1"))
    watch.look()
    [grown] = campaigns(database)
    assert (grown.campaign_id, grown.state, grown.opened_at) == (first.campaign_id, "open", first.opened_at)
    assert members(database, grown.campaign_id) == names(16)
    assert (grown.members, grown.revision) == (16, 2)
    clock.advance(7 * 3600.0)
    watch.look()
    [ended] = campaigns(database)
    assert (ended.campaign_id, ended.state, ended.closed_at) == (first.campaign_id, "closed", clock.now())
    clock.advance(2 * DAY)
    watch.look()
    assert campaigns(database) == [ended]


def test_a_look_that_finds_nothing_new_writes_and_tells_nothing(database: Database, clock: FixedClock) -> None:
    """Also where another process takes it, which has read nothing before."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    watch_of(database, clock).look()
    before = campaigns(database)
    clock.advance(60.0)
    again = watch_of(database, clock).look()
    assert again is not None
    assert (again.settled.opened, again.settled.continued, again.settled.told) == (0, 0, 0)
    assert campaigns(database) == before


def test_the_ranking_of_accounts_is_written_once_a_minute(database: Database, clock: FixedClock) -> None:
    """Looks come more often than anybody reads it."""
    when = Statement(select(account_scores.c.updated_at).distinct())
    done(database, [*people(60, Chance(1)), *bots(12, Chance(1))])
    watch = watch_of(database, clock)
    written = []
    for _ in range(5):
        watch.look()
        written.append(database.read(lambda tx: tx.all(when)))
        clock.advance(30.0)
    assert written == [[(NOW + seconds,)] for seconds in (0.0, 0.0, 60.0, 60.0, 120.0)]


def test_members_are_told_of_once_and_never_more_than_a_step_up_is_asked_for(
    database: Database, clock: FixedClock
) -> None:
    """A victim whose password others try is a member, too."""
    logged_in(database, [*people(30, Chance(1)), *stuffing(40)])
    watch = watch_of(database, clock)
    watch.look()
    clock.advance(600.0)
    logged_in(database, stuffing(44, began=NOW))
    watch.look()
    [campaign] = campaigns(database)
    signals = told(database)
    assert sorted(each.user_id for each in signals) == sorted(names(44, "person"))
    assert len({each.signal_id for each in signals}) == 44
    assert {(each.source, each.session_id, each.recommended, each.campaign_id) for each in signals} == {
        ("campaign", "", "step_up", campaign.campaign_id)
    }
    assert all(60.0 <= each.score < 80.0 for each in signals)


@pytest.mark.anyio
async def test_a_campaign_is_one_incident_however_often_it_is_seen(database: Database, clock: FixedClock) -> None:
    """With its members and what speaks for it; it grows and is not opened twice."""
    watch = watch_of(database, clock)
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    watch.look()
    clock.advance(600.0)
    done(database, bots(14, Chance(2), began=NOW - 150.0, network="47.1"))
    watch.look()
    [campaign] = campaigns(database)
    rows = incident_rows(database, clock)
    [incident] = (await rows.page(state="open", owner=None, before="", limit=9)).incidents
    assert (incident.kind, incident.subject, incident.sightings) == ("campaign", campaign.campaign_id, 2)
    assert incident.score == pytest.approx(sum(each.points for each in incident.evidence), abs=0.2)
    shown = await rows.find(incident.incident_id)
    assert shown is not None
    assert set(shown.members) == names(14)


def test_failed_passwords_count_though_nobody_scores_them(database: Database, clock: FixedClock) -> None:
    """They stand among the outcomes."""
    logged_in(database, people(30, Chance(1)))
    rows = [
        {"event_id": f"own:{each.account}", "seen_at": each.moment, "login_id": None, "lesson": failure(each)}
        for each in stuffing(30)
    ]
    database.write_sync(lambda tx: tx.many(SEE, rows))
    watch_of(database, clock).look()
    [found] = campaigns(database)
    assert members(database, found.campaign_id) == names(30, "person")


def failure(each: Sighting) -> bytes:
    """A wrong password, as an outcome that teaches nothing keeps it."""
    return encode_taught(
        Taught(
            user_id=each.account,
            ts=each.moment,
            outcome="failure",
            ip=each.address,
            browser="python",
            browser_version="3",
            ja4=each.ja4,
            **dict.fromkeys(("prefix", "asn_key", "country", "device_type", "os", "device_id", "ja4h", "ja4s"), ""),
            zone="",
            utc_offset_s=0,
            latitude=None,
            longitude=None,
            accuracy_km=50.0,
            is_shared=False,
            taught_network=False,
        )
    )


def test_a_refresh_is_no_rhythm_of_its_account(database: Database, clock: FixedClock) -> None:
    """Applications refresh by a timer, which all who use them share."""
    logged_in(database, [*people(30, Chance(1)), *bots(12, Chance(1))], kind="refresh")
    watch_of(database, clock).look()
    assert campaigns(database) == []


def test_a_row_that_comes_out_of_order_is_read_and_none_twice(database: Database, clock: FixedClock) -> None:
    """A writer that took its number first and committed last is no loss."""
    watch = watch_of(database, clock)
    crowd = list(people(50, Chance(1)))
    done(database, crowd[7:], first_id=1000)
    first = watch.look()
    done(database, crowd[:7], first_id=500)
    again = watch.look()
    assert first is not None
    assert again is not None
    assert (first.read, again.read, again.events) == (len(crowd) - 7, 7, len(crowd))


def test_who_is_erased_is_in_no_campaign_and_never_comes_back(database: Database, clock: FixedClock) -> None:
    """Neither from the tables nor from the memory of the process that looks."""
    done(database, [*people(60, Chance(1)), *bots(12, Chance(1))])
    watch = watch_of(database, clock)
    watch.look()
    assert "bot-3" in {row[0] for row in database.read(lambda tx: tx.all(SCORES))}
    assert erase_person(database, "bot-3").campaigns == 2
    clock.advance(600.0)
    watch.look()
    [campaign] = campaigns(database)
    assert members(database, campaign.campaign_id) == names(12) - {"bot-3"}
    assert "bot-3" not in {row[0] for row in database.read(lambda tx: tx.all(SCORES))}


def test_an_erasure_while_somebody_looks_is_not_undone(database: Database, clock: FixedClock) -> None:
    """What was judged with the person is not written; the look starts over without them."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])

    class Erasing:
        """A clock at which a person is erased between reading and writing."""

        asked = 0

        def now(self) -> float:
            return NOW

        def monotonic(self) -> float:
            self.asked += 1
            if self.asked == 2:
                erase_person(database, "bot-3")
            return 0.0

    watch_of(database, Erasing()).look()
    [campaign] = campaigns(database)
    assert members(database, campaign.campaign_id) == names(12) - {"bot-3"}


KILLED = """
import os, signal, sys
from plumbing.clock import FixedClock
from risk_scorer.adapters.storage import open_database
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from tests.integration.risk_scorer.campaign_events import watch_of

class Dying(SignalOutbox):
    def telling(self, signals):
        keep = super().telling(signals)
        def job(tx):
            keep(tx)
            os.kill(os.getpid(), signal.SIGKILL)
        return job

watch_of(open_database(sys.argv[1]), FixedClock(float(sys.argv[2])), told=Dying()).look()
"""


def test_a_process_killed_in_the_midst_leaves_no_half_campaign(
    database: Database, scorer_url: str, clock: FixedClock, root: Path
) -> None:
    """It dies with members and messages written and not committed; the next one writes all of it, once."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, scorer_url, str(NOW)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert killed.returncode == -signal.SIGKILL
    assert campaigns(database) == []
    assert (database.read(lambda tx: tx.all(MEMBERS)), told(database)) == ([], [])
    watch_of(database, clock).look()
    [campaign] = campaigns(database)
    assert members(database, campaign.campaign_id) == names(12)
    assert sorted(each.user_id for each in told(database)) == sorted(names(12))


def test_of_two_that_look_at_once_one_writes(database: Database, clock: FixedClock) -> None:
    """The other finds that it was not the first, and starts over."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    other = watch_of(database, clock)

    class Meanwhile(FixedClock):
        asked = 0

        def monotonic(self) -> float:
            self.asked += 1
            if self.asked == 2:
                other.look()
            return 0.0

    looked = watch_of(database, Meanwhile(NOW)).look()
    assert looked is not None
    assert (looked.settled.opened, looked.settled.told) == (0, 0)
    assert len(campaigns(database)) == 1


def test_strange_names_and_values_are_kept_as_they_are(database: Database, clock: FixedClock) -> None:
    """Right-to-left marks, signs beyond the basic plane, and texts as long as may be."""
    strange = "‮💥\n" + "x" * 240
    crowd = [
        Sighting(f"{each.account}{strange}", each.moment, each.address, each.device, f"{strange}-ja4", strange * 8)
        for each in bots(12, Chance(1))
    ]
    done(database, [*people(30, Chance(1)), *crowd])
    watch_of(database, clock).look()
    [campaign] = campaigns(database)
    assert members(database, campaign.campaign_id) == {f"bot-{number}{strange}" for number in range(12)}


def test_a_campaign_is_kept_as_long_as_events_are(database: Database, clock: FixedClock) -> None:
    """After that it goes with its members and signals."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    watch = watch_of(database, clock, kept_days=2)
    watch.look()
    clock.advance(8 * 3600.0)
    watch.look()
    assert [each.state for each in campaigns(database)] == ["closed"]
    clock.advance(2 * DAY + 1.0)
    watch.look()
    assert campaigns(database) == []
    assert database.read(lambda tx: tx.all(MEMBERS)) == []


def test_lists_go_on_where_they_ended(database: Database, clock: FixedClock) -> None:
    """A page at a time, each campaign once, the last opened first."""
    watch = watch_of(database, clock)
    done(database, people(30, Chance(1)))
    for number in range(3):
        every, began = 20.0 * 2**number, clock.now() - 1500.0
        done(
            database, bots(9, Chance(number), name=f"c{number}", ja4=f"j{number}", every=every, began=began, events=12)
        )
        watch.look()
        clock.advance(900.0)
    seen, after = [], ""
    while True:
        page = database.read(lambda tx, after=after: listed(tx, state="", limit=2, after=after))  # type: ignore[misc]
        seen += [each.campaign_id for each in page.campaigns]
        if page.next is None:
            break
        after = page.next
    opened = [each.opened_at for each in campaigns(database)]
    assert len(seen) == len(set(seen)) == 3
    assert opened == sorted(opened, reverse=True)
    assert (len(campaigns(database, "open")), len(campaigns(database, "closed"))) == (3, 0)
