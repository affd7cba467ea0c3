"""Values as the invented sign-ins of the console's benchmark have them, and values drawn among them."""

import random
from typing import Final

from risk_scorer.core.console.sign_in_page import Cursor

NOW: Final = 1_760_000_000.0
SPAN: Final = 90 * 86_400.0
ROWS_A_PERSON: Final = 100
COUNTRIES: Final = tuple(f"{first}{second}" for first in "ABDEFGHINPSU" for second in "AEKLRST")
SHADOW: Final = ("5ad0e0000001", "ac71fe000001")
"""The version that shadows, and the one that it shadows."""
CODES: Final = tuple(f"reason_{number}" for number in range(24))


def event_of(number: int) -> str:
    """The id of the invented login of that number."""
    return f"evt_{number * 2_654_435_761 % 2**40:010x}"


def user_of(who: int) -> str:
    """The id of an invented person; those of neighbours do not lie beside each other."""
    return f"usr_{who * 2_654_435_761 % 2**32:08x}"


def device_of(number: int) -> str:
    """The name of an invented device."""
    return f"dev_{number * 40_503 % 2**32:08x}"


def ja4_of(number: int) -> str:
    """An invented fingerprint of a program."""
    return f"t13d1516h2_{number * 7919 % 2**24:012x}_{number * 104_729 % 2**24:012x}"


class Drawn:
    """Values as rows have them, drawn anew each time."""

    def __init__(self, size: int) -> None:
        self.size, self._people = size, max(20, size // ROWS_A_PERSON)
        self.chance = random.Random()

    def who(self) -> int:
        """A person; some come much more often."""
        return int(self._people * self.chance.random() ** 2)

    def user(self) -> str:
        return user_of(self.who())

    def beginning(self) -> str:
        return self.user()[:8]

    def device(self) -> str:
        return device_of(self.who() * 3)

    def network(self) -> str:
        home = self.who() // 2
        return f"{20 + home // 65_536}.{home // 256 % 256}.{home % 256}.0/24"

    def address(self) -> str:
        return self.network().replace("0/24", str(1 + self.who() % 250))

    def asn(self) -> int:
        return 64_500 + int(400 * self.chance.random() ** 3)

    def country(self) -> str:
        return COUNTRIES[int(len(COUNTRIES) * self.chance.random() ** 3)]

    def ja4(self) -> str:
        return ja4_of(int(600 * self.chance.random() ** 3))

    def code(self) -> str:
        return self.chance.choice(CODES)

    def client(self) -> str:
        return f"app-{self.chance.randrange(8)}"

    def moment(self) -> float:
        return NOW - SPAN * self.chance.random()

    def event(self) -> str:
        return event_of(self.chance.randrange(self.size))

    def place(self) -> Cursor:
        """Anywhere between the rows."""
        return Cursor(self.moment(), self.size)
