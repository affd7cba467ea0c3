"""Which label a login has at a moment, given everything that was said about it until then, and what it is worth.

A later word replaces an earlier one, as in the scorer, with one exception: a milder word (safe, dismissed) does not
replace the word of somebody who is trusted more. Whoever sits in a stolen session can say that it was them; they do
not overrule the analyst who looked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from risk_scorer.contract.feedback import VerdictSource
from training.labelling.label_file import Login, Word

WORTH: Final[Mapping[VerdictSource, float]] = {"analyst": 1.0, "gateway": 0.8, "shared_signals": 0.6, "owner": 0.6}
"""What a label counts by whose word it is, and who is trusted more. Judgement: an analyst has looked into the login;
the owner may not remember it, or be somebody else; another provider speaks of the person rather than of the login."""
CONTRADICTED: Final = 0.5
"""What is left of it when somebody else's last word says the opposite."""
MILD: Final = frozenset({"confirmed_safe", "dismissed"})


@dataclass(frozen=True, slots=True)
class Label:
    """A login's label: compromised or safe, since when training could know (epoch seconds), and what it counts, 0-1.

    `mouth` is whose word it is: the source and, unless it is the owner, the name.
    """

    login: Login
    is_compromised: bool
    source: VerdictSource
    mouth: str
    worth: float
    known_at: float
    is_contradicted: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The labels that stand at a moment; how many logins lost theirs again; how many were judged only afterwards."""

    labels: tuple[Label, ...]
    withdrawn: int
    too_late: int


def standing(words: Mapping[Login, Sequence[Word]], until: float | None = None) -> Standing:
    """What stood before `until` (epoch seconds), or stands now; in the order of the logins, so that it repeats."""
    labels, withdrawn, too_late = [], 0, 0
    for login in sorted(words, key=lambda login: (login[1], login[0], login[2])):
        said = [word for word in words[login] if until is None or word.known_at < until]
        found = _label(login, said) if said else None
        if found is not None:
            labels.append(found)
        elif said:
            withdrawn += 1
        else:
            too_late += 1
    return Standing(tuple(labels), withdrawn, too_late)


def _label(login: Login, said: Sequence[Word]) -> Label | None:
    deciding = _deciding(said)
    if deciding.verdict == "dismissed":
        return None
    last = {(word.source, word.by): word for word in said}.values()  # of each mouth
    against = any(word.verdict not in (deciding.verdict, "dismissed") for word in last)
    agreeing = max(WORTH[word.source] for word in last if word.verdict == deciding.verdict)
    return Label(
        login=login,
        is_compromised=deciding.verdict == "confirmed_compromised",
        source=deciding.source,
        mouth=_mouth(deciding, login),
        worth=agreeing * (CONTRADICTED if against else 1.0),
        known_at=min(word.known_at for word in last if word.verdict == deciding.verdict),
        is_contradicted=against,
    )


def _deciding(said: Iterable[Word]) -> Word:
    """The word that counts, of words in the order in which they came."""
    deciding: Word | None = None
    for word in said:
        is_overruled = deciding is not None and word.verdict in MILD and WORTH[word.source] < WORTH[deciding.source]
        if not is_overruled:
            deciding = word
    if deciding is None:
        raise ValueError("nothing was said")
    return deciding


def _mouth(word: Word, login: Login) -> str:
    """Owners all have one name; each of them is a mouth of their own."""
    return f"owner:{login[0]}" if word.source == "owner" else f"{word.source}:{word.by}"
