"""What may be asked of a view."""

import pytest

from risk_scorer.adapters.activity.views import ALL
from risk_scorer.core.abuse.view import BadParameter, View, asked

NOW = 1_760_000_000.0
BURSTS: View = ALL["bursts"].view


def test_a_view_without_parameters_is_asked_with_the_usual_ones() -> None:
    """The last day, in a window of a minute, logins and activity alike."""
    assert asked(BURSTS, {}, now=NOW) == {
        "since": NOW - 86_400,
        "until": NOW,
        "window_seconds": 60.0,
        "least": 100,
        "limit": 100,
        "of": "both",
    }


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1759990000", 1_759_990_000.0),
        ("1759990000.5", 1_759_990_000.5),
        ("2025-10-09T06:06:40Z", 1_759_990_000.0),
        ("2025-10-09T08:06:40+02:00", 1_759_990_000.0),
        ("2025-10-09T06:06:40", 1_759_990_000.0),
        ("2025-10-09", 1_759_968_000.0),
    ],
)
def test_a_moment_is_epoch_seconds_or_iso_8601(text: str, moment: float) -> None:
    """Without an offset it is UTC."""
    assert asked(BURSTS, {"since": text}, now=NOW)["since"] == moment


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": ""}, "since"),
        ({"since": "-1"}, "since"),
        ({"since": "9e99"}, "since"),
        ({"since": "4102444801"}, "since"),
        ({"since": str(NOW + 1)}, "since"),
        ({"least": "1"}, "least"),
        ({"least": "2.5"}, "least"),
        ({"least": "1_000"}, "least"),
        ({"least": "²"}, "least"),
        ({"least": "1000001"}, "least"),
        ({"limit": "0"}, "limit"),
        ({"limit": "10001"}, "limit"),
        ({"window_seconds": "0"}, "window_seconds"),
        ({"window_seconds": "nan"}, "window_seconds"),
        ({"window_seconds": "1" * 41}, "window_seconds"),
        ({"user": "alice"}, "parameters"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(given: dict[str, str], name: str) -> None:
    """The value is not repeated."""
    with pytest.raises(BadParameter) as refused:
        asked(BURSTS, given, now=NOW)
    assert refused.value.name == name
    assert not any(value and value in refused.value.message for value in given.values() if len(value) > 6)


def test_every_view_has_a_span_and_a_limit() -> None:
    """So that none can be asked for everything."""
    for question in ALL.values():
        names = [each.name for each in question.view.parameters]
        assert names[:2] == ["since", "until"]
        assert names[-1] == "limit"
