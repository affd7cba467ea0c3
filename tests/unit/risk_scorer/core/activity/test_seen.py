"""What detectors look at: templates, actions and groups of people are the same whoever writes them."""

import pytest

from risk_scorer.core.activity.seen import LONGEST_PEERS, LONGEST_TEMPLATE, endpoint_template, object_of, peers_of


@pytest.mark.parametrize(
    ("endpoint", "template"),
    [
        ("/orders/1234/items/7", "/orders/{id}/items/{id}"),
        ("/orders/6f1e4c1e-0f6b-4d6e-9d86-6ce8a2f0a001", "/orders/{id}"),
        ("/files/deadbeef01", "/files/{id}"),
        ("/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/{id}"),
        ("/export?from=1&to=2#top", "/export"),
        ("/api/v2/users", "/api/v2/users"),
        ("/deadbeef", "/deadbeef"),
        ("", ""),
    ],
)
def test_ids_and_queries_are_not_part_of_an_endpoint(endpoint: str, template: str) -> None:
    """A thousand orders are one endpoint, and words that look like hex are words."""
    assert endpoint_template(endpoint) == template


def test_a_template_is_never_longer_than_its_bound() -> None:
    """A stranger cannot make baselines large by long paths."""
    assert len(endpoint_template("/" + "x" * 1000)) == LONGEST_TEMPLATE


def test_peers_are_those_with_the_same_roles_in_any_order() -> None:
    """Order and repetition of roles do not matter; many roles still make a short key of their own."""
    assert peers_of(("b", "a", "b")) == peers_of(("a", "b")) == "a+b"
    assert peers_of(()) == ""
    many = tuple(f"role-{number}" for number in range(64))
    assert len(peers_of(many)) <= LONGEST_PEERS
    assert peers_of(many) != peers_of(many[1:])


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [
        ("/orders/17", "17"),
        ("/orders/17/items/4?page=9", "4"),
        ("/orders/17/items", "17"),
        ("/orders", ""),
        ("", ""),
        ("/orders/" + "7" * 200, "7" * 64),
    ],
)
def test_which_of_many_things_is_named_is_the_last_id(endpoint: str, named: str) -> None:
    """Runs through ids show in what the template leaves out; how much of it is kept is not the caller's choice."""
    assert object_of(endpoint) == named
