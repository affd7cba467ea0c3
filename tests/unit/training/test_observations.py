"""A row of a log becomes what the scoring service would observe."""

from dataclasses import replace

import numpy as np

from risk_scorer.adapters.time_zones import TimeZones
from risk_scorer.core.facts import AgentFacts, IpFacts
from tests.unit.training.logs import LOOKUPS, log, network, without
from training.lookups import Lookups, address_problem
from training.observations import observations

TABLE = log(300)


def test_every_row_is_observed_in_order_with_its_own_columns() -> None:
    """Values of the log arrive where features look for them."""
    found = list(observations(TABLE, LOOKUPS))
    assert [each.ts for each in found] == TABLE.timestamp.tolist()
    assert [each.device_id for each in found] == TABLE.device_id.tolist()
    assert [each.asn_key for each in found] == [str(asn) for asn in TABLE.asn]
    assert {each.event_id for each in found[:3]} == {"0", "1", "2"}
    assert found[0].prefix == TABLE.ip[0].rsplit(".", 1)[0] + ".0/24"


def test_the_logs_own_words_outrank_look_ups_and_look_ups_fill_gaps() -> None:
    """A given ASN, country or reputation stays; a missing one is looked up."""
    bare = replace(without(TABLE, "country"), asn=np.zeros(300, np.int64), ip_rep=np.full(300, np.nan))
    other = Lookups(network=lambda ip: replace_facts(network(ip)))
    told, silent = next(observations(TABLE, other)), next(observations(bare, other))
    assert (told.asn, told.country, told.ip_rep) == (TABLE.asn[0], TABLE.country[0], TABLE.ip_rep[0])
    assert (silent.asn, silent.country, silent.ip_rep) == (65000, "XX", 77.0)


def replace_facts(_facts: IpFacts) -> IpFacts:
    return IpFacts(asn=65000, country="XX", reputation=77.0)


def test_browser_columns_are_read_where_no_user_agent_is_parsed() -> None:
    """Families and major versions, as a parser would name them."""
    found = next(observations(TABLE, LOOKUPS))
    family, version = TABLE.browser[0].split(" ")
    assert (found.browser, found.browser_version) == (family, f"{family} {version}")
    assert found.os == TABLE.os[0].rsplit(" ", 1)[0]
    assert found.device_type == TABLE.device_type[0]


def test_a_parsed_user_agent_outranks_browser_columns() -> None:
    """Serving has the user agent alone, so training reads it where it can."""
    lookups = replace(LOOKUPS, agent=lambda _: AgentFacts(browser="Chrome", browser_version="99", os="Linux"))
    found = next(observations(TABLE, lookups))
    assert (found.browser_version, found.os) == ("Chrome 99", "Linux")


def test_real_addresses_are_looked_up_and_made_up_ones_are_not() -> None:
    """A log whose networks and countries contradict what is known of its addresses has made-up addresses."""
    assert address_problem(TABLE, LOOKUPS) is None
    wrong = Lookups(network=lambda ip: IpFacts(asn=1, country="ZZ"))
    assert "not real" in str(address_problem(TABLE, wrong))
    assert address_problem(TABLE, Lookups()) is not None


def test_addresses_of_which_nothing_is_known_contradict_nothing() -> None:
    """Unknown is no disagreement, and a log without networks and countries cannot disagree."""
    assert address_problem(TABLE, Lookups(network=lambda _: IpFacts())) is None
    silent = replace(without(TABLE, "country", "asn"), asn=np.zeros(300, np.int64))
    assert address_problem(silent, Lookups(network=lambda _: IpFacts(asn=1, country="ZZ"))) is None


def test_time_zones_are_looked_up_by_place_and_by_country_alone_where_addresses_are_made_up() -> None:
    """As the scoring service would, for hours as people's own clocks tell them."""
    local_time = TimeZones().local
    zones = {"NO": "Europe/Oslo", "US": "America/New_York", "DE": "Europe/Berlin", "SE": "Europe/Stockholm"}
    for lookups in (LOOKUPS, LOOKUPS.without_networks()):
        found = list(observations(TABLE, replace(lookups, local_time=local_time)))
        assert [each.zone for each in found] == [zones[country] for country in TABLE.country]
        assert {each.utc_offset_s for each in found if each.country == "US"} == {-14_400}
    assert next(observations(TABLE, LOOKUPS)).zone == ""
