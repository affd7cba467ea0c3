"""Ports for what a test starts a little later, in a process of its own."""

import itertools
import os
import random
import socket
from collections.abc import Iterator

FIRST, LAST = 10_000, 32_000
"""Below what Linux gives to outgoing connections (`ip_local_port_range`, 32768 and up): a port that the system picks
itself may be somebody's connection by the time that the process listens."""


def _candidates() -> Iterator[int]:
    """Every port once around, from another place in each process, so that those beside it seldom try the same."""
    start = random.Random(os.getpid()).randrange(FIRST, LAST)  # spread, not secret
    return itertools.cycle(itertools.chain(range(start, LAST), range(FIRST, start)))


_CANDIDATES = _candidates()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens, never the one that this process was given just before."""
    for port in itertools.islice(_CANDIDATES, LAST - FIRST):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"nothing is free from {FIRST} to {LAST}")
