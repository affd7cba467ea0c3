"""The scorer's outbox, whose statements are made once a process: whoever announces something adds it here."""

from typing import Final

from risk_scorer.adapters.tables import outbox
from webhooks.outbox import Outbox

OUTBOX: Final = Outbox(outbox)
"""Statements alone: whose database is asked is said with each transaction."""
