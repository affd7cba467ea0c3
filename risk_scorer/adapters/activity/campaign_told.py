"""Signals about members, kept in the outbox with what they are about; whoever serves sends them to the gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from plumbing.database import Transaction
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.contract.signals import SIGNAL_TYPE, SessionRiskSignal
from webhooks.pace import Pace

TO_GATEWAY: Final = "gateway-signals"
"""What the outbox knows the gateway by; signals of sessions go there as well."""
SIGNAL_PACE: Final = Pace(first_retry=0.5, longest_retry=2.0, deadline=2.0, lease=4.0)
"""A session ends within five seconds (docs/session-response.md), also where both services died between alarm and
delivery: a dead process' lease is over after four, and an attempt that hangs and the wait after it take four together.
A signal that the gateway hears twice counts once, by its id."""

_encode = msgspec.json.Encoder().encode


class SignalOutbox:
    """Keeps each signal once, by its id."""

    def __init__(self, endpoint: str = TO_GATEWAY) -> None:
        self._endpoint = endpoint
        self._outbox = OUTBOX

    def telling(self, signals: Sequence[SessionRiskSignal]) -> Callable[[Transaction], None]:
        """The part of a job that keeps these to be sent."""

        def job(tx: Transaction) -> None:
            for each in signals:
                self._outbox.add_once(
                    tx,
                    message_id=each.signal_id,
                    endpoint=self._endpoint,
                    event_type=SIGNAL_TYPE,
                    body=_encode(each),
                    now=each.observed_at,
                )

        return job
