"""Which label stands: the newest word, unless a milder one comes from somebody who is trusted less."""

import pytest

from training.labelling.label_file import Word
from training.labelling.standing import CONTRADICTED, WORTH, standing

LOGIN = ("u1", 1000, "10.0.0.1")
C, S, D = "confirmed_compromised", "confirmed_safe", "dismissed"


def said(*words: tuple[str, str]) -> list[Word]:
    return [
        Word(verdict=verdict, by="soc" if source == "analyst" else source, source=source, known_at=float(moment))  # type: ignore[arg-type]
        for moment, (source, verdict) in enumerate(words, start=1)
    ]


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ([("analyst", C)], C),
        ([("owner", C), ("owner", S)], S),
        ([("analyst", C), ("analyst", S)], S),
        ([("analyst", C), ("owner", S)], C),
        ([("analyst", C), ("shared_signals", D)], C),
        ([("owner", C), ("analyst", D)], None),
        ([("owner", S), ("shared_signals", C)], C),
        ([("analyst", S), ("owner", C)], C),
        ([("analyst", D), ("owner", C)], C),
        ([("owner", C), ("shared_signals", S)], S),
        ([("shared_signals", C), ("gateway", D), ("owner", S)], None),
        ([("analyst", C), ("owner", S), ("analyst", D)], None),
    ],
)
def test_a_later_word_counts_unless_it_is_milder_and_less_trusted(
    words: list[tuple[str, str]], stands: str | None
) -> None:
    """Whoever sits in a stolen session cannot say away what an analyst found."""
    found = standing({LOGIN: said(*words)})
    kinds = [C if label.is_compromised else S for label in found.labels]
    assert kinds == ([stands] if stands else [])
    assert found.withdrawn == (0 if stands else 1)


@pytest.mark.parametrize(
    ("words", "worth", "contradicted"),
    [
        ([("analyst", C)], WORTH["analyst"], False),
        ([("owner", C)], WORTH["owner"], False),
        ([("owner", C), ("analyst", C)], WORTH["analyst"], False),
        ([("analyst", C), ("owner", C)], WORTH["analyst"], False),
        ([("analyst", C), ("owner", S)], WORTH["analyst"] * CONTRADICTED, True),
        ([("owner", S), ("owner", C)], WORTH["owner"], False),
        ([("analyst", D), ("owner", C)], WORTH["owner"], False),
    ],
)
def test_what_a_label_counts(words: list[tuple[str, str]], worth: float, contradicted: bool) -> None:
    """The most trusted of those who agree; half where somebody else's last word says the opposite."""
    [label] = standing({LOGIN: said(*words)}).labels
    assert (label.worth, label.is_contradicted) == (worth, contradicted)


def test_only_what_was_known_counts_and_the_rest_is_told() -> None:
    """A verdict of tomorrow teaches no model of today, and one that was taken back afterwards still does."""
    words = {
        ("a", 1, "10.0.0.1"): said(("analyst", C), ("analyst", D)),
        ("b", 2, "10.0.0.1"): [Word(verdict=C, by="soc", source="analyst", known_at=9.0)],  # type: ignore[arg-type]
    }
    early, late, now = standing(words, 2.0), standing(words, 9.0), standing(words)
    assert ([label.login[0] for label in early.labels], early.withdrawn, early.too_late) == (["a"], 0, 1)
    assert ([label.login[0] for label in late.labels], late.withdrawn, late.too_late) == ([], 1, 1)
    assert ([label.login[0] for label in now.labels], now.withdrawn, now.too_late) == (["b"], 1, 0)


def test_owners_are_mouths_of_their_own_and_analysts_are_one_each() -> None:
    """All owners have one name; the bound of a mouth must not be shared by all of them."""
    words = {(user, 1, "10.0.0.1"): said(("owner", C)) for user in ("a", "b")}
    words[("c", 1, "10.0.0.1")] = words[("d", 1, "10.0.0.1")] = said(("analyst", C))
    assert [label.mouth for label in standing(words).labels] == ["owner:a", "owner:b", "analyst:soc", "analyst:soc"]
