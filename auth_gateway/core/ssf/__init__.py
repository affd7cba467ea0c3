"""Shared Signals as values and pure rules: streams, subjects, and which of our events is which of theirs."""
