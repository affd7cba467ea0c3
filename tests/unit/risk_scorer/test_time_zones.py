"""Time zones of places and what their clocks say, against zones that everyone knows."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from risk_scorer.adapters.time_zones import TimeZones

JULY, JANUARY = 1_751_371_200.0, 1_767_268_800.0
"""2025-07-01T12:00:00Z and 2026-01-01T12:00:00Z."""
ZONES = TimeZones()


@pytest.mark.parametrize(
    ("country", "place", "zone"),
    [
        ("US", (37.34, -121.89), "America/Los_Angeles"),
        ("US", (40.71, -74.0), "America/New_York"),
        ("US", (41.88, -87.63), "America/Chicago"),
        ("US", (21.31, -157.86), "Pacific/Honolulu"),
        ("DE", (48.14, 11.58), "Europe/Berlin"),
        ("RU", (43.12, 131.89), "Asia/Vladivostok"),
        ("RU", (55.75, 37.62), "Europe/Moscow"),
        ("AU", (-31.95, 115.86), "Australia/Perth"),
        ("NZ", (-44.0, -176.5), "Pacific/Chatham"),
        ("FJ", (-18.1, -179.9), "Pacific/Fiji"),
        ("NO", (59.91, 10.75), "Europe/Oslo"),
    ],
)
def test_a_place_has_the_zone_of_its_countrys_nearest_city(country: str, place: tuple[float, float], zone: str) -> None:
    """Across the date line as well."""
    assert ZONES.local(country, *place, JULY)[0] == zone


def test_zones_whose_clocks_go_alike_have_one_name() -> None:
    """Nobody moves from one to the other: Munich's nearest city is Büsingen, Louisville has New York's time."""
    assert ZONES.local("DE", 47.7, 8.69, JULY)[0] == "Europe/Berlin"
    assert ZONES.local("US", 38.25, -85.76, JULY)[0] == "America/New_York"
    assert ZONES.local("US", 33.45, -112.07, JULY)[0] == "America/Phoenix"


def test_a_place_near_the_border_has_its_own_countrys_zone() -> None:
    """Cúcuta is in Colombia, however near Venezuela is."""
    assert ZONES.local("CO", 7.89, -72.5, JULY)[0] == "America/Bogota"
    assert ZONES.local("VE", 7.89, -72.5, JULY)[0] == "America/Caracas"


@pytest.mark.parametrize(
    ("country", "zone"),
    [("DE", "Europe/Berlin"), ("US", "America/New_York"), ("AU", "Australia/Sydney"), ("JP", "Asia/Tokyo")],
)
def test_without_a_place_it_is_the_countrys_first_zone(country: str, zone: str) -> None:
    """Half a place is none."""
    assert ZONES.local(country, None, None, JULY)[0] == zone
    assert ZONES.local(country, 21.31, None, JULY)[0] == zone


@pytest.mark.parametrize("country", ["", "XX", "Germany", "de", "D", "../../etc/passwd"])
def test_an_unknown_country_has_no_zone(country: str) -> None:
    """Names and other spellings are no codes; nothing is guessed and no file is looked for."""
    assert ZONES.local(country, 52.5, 13.4, JULY) == ("", 0)


@pytest.mark.parametrize(
    ("country", "july", "january"),
    [
        ("DE", 7200, 3600),
        ("JP", 32_400, 32_400),
        ("IN", 19_800, 19_800),
        ("NP", 20_700, 20_700),
        ("GB", 3600, 0),
        ("US", -14_400, -18_000),
        ("CL", -14_400, -10_800),
    ],
)
def test_clocks_are_put_forward_in_summer_where_they_are(country: str, july: int, january: int) -> None:
    """Seconds ahead of UTC, south of the equator the other way round."""
    assert (ZONES.local(country, None, None, JULY)[1], ZONES.local(country, None, None, JANUARY)[1]) == (july, january)


def test_clocks_change_at_the_second_they_change() -> None:
    """Central European Summer Time ended on 2025-10-26 at 01:00 UTC."""
    changed = 1_761_440_400.0
    assert ZONES.local("DE", None, None, changed - 0.5)[1] == 7200
    assert ZONES.local("DE", None, None, changed)[1] == 3600


def test_every_zone_of_the_table_tells_the_time() -> None:
    """As the standard library's own reading of the same package has it."""
    for country, cities in ZONES._cities.items():
        for zone, (east, north, up) in cities:
            assert -1.0 <= min(east, north, up) <= max(east, north, up) <= 1.0, country
            expected = datetime.fromtimestamp(JULY, UTC).astimezone(ZoneInfo(zone)).utcoffset()
            assert expected is not None
            assert ZONES._told(zone, int(JULY) // 900) == expected.total_seconds(), zone


def test_every_countrys_own_cities_are_in_their_own_zones() -> None:
    """Degrees, minutes and seconds are read as the table writes them."""
    london, sydney = ZONES._cities["GB"][0][1], ZONES._cities["AU"][0][1]
    assert london[2] == pytest.approx(0.7826, abs=1e-3)
    assert sydney[2] == pytest.approx(-0.5571, abs=1e-3)
