"""However many labels there are: all together, and any one person, network, operator or mouth, stay within a bound."""

from dataclasses import replace

import numpy as np
import pytest

from training.labelling.bounds import EACH, MOST_OF_ALL, SHARES, Grouped, bounded


def labels(count: int, **same: str) -> list[Grouped]:
    """So many full labels that have nothing in common but what is `same`."""
    each = [Grouped(1.0, f"u{n}", f"10.{n // 250}.{n % 250}.0/24", f"{n}", f"analyst:{n}") for n in range(count)]
    return [replace(label, **same) for label in each]


def test_one_label_weighs_its_bit_and_twenty_fill_the_whole() -> None:
    """From there on each new one takes from the others."""
    assert bounded(labels(1)).weights.tolist() == [EACH]
    full = bounded(labels(round(MOST_OF_ALL / EACH)))
    assert (full.weights.sum(), full.cut) == (pytest.approx(MOST_OF_ALL), 0)
    more = bounded(labels(1000))
    assert (more.weights.sum(), more.cut) == (pytest.approx(MOST_OF_ALL), 1000)


@pytest.mark.parametrize("kind", SHARES)
@pytest.mark.parametrize("count", [1, 10, 3000])
def test_no_one_has_more_than_their_share(kind: str, count: int) -> None:
    """A flood of three thousand weighs what the first few did, to the last digit, and the others keep theirs."""
    most = MOST_OF_ALL * SHARES[kind]
    others = [Grouped(1.0, f"v{n}", f"n{n}", f"o{n}", f"m{n}") for n in range(5)]
    found = bounded([*labels(count, **{kind: "one"}), *others])
    assert found.weights[:count].sum() == pytest.approx(min(count * EACH, most))
    assert found.weights[count:].tolist() == [EACH] * 5
    assert found.largest[kind] == pytest.approx(min(count * EACH, most) / MOST_OF_ALL)
    assert (found.cut > 0) == (count * EACH > most)


def test_an_unknown_operator_is_nobodys() -> None:
    """Labels of networks of which nothing is known do not take from each other."""
    found = bounded(labels(15, operator=""))
    assert found.weights.tolist() == [EACH] * 15


def test_worth_is_what_each_asks_for_and_nothing_is_nothing() -> None:
    """A doubted label weighs half; no labels have no shares."""
    assert bounded([replace(labels(1)[0], worth=0.5)]).weights.tolist() == [EACH / 2]
    none = bounded([])
    assert (none.weights.tolist(), none.cut, set(none.largest.values())) == ([], 0, {0.0})


def test_every_bound_holds_at_once() -> None:
    """Whatever the mixture, drawn at random and the same each time."""
    chance = np.random.default_rng(3)
    drawn = [
        Grouped(float(chance.uniform(0.3, 1.0)), *(f"{chance.integers(1, 30)}" for _ in SHARES)) for _ in range(500)
    ]
    found = bounded(drawn)
    assert found.weights.sum() <= MOST_OF_ALL + 1e-12
    assert all(found.largest[kind] <= share + 1e-9 for kind, share in SHARES.items())
