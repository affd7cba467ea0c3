"""Shared Signals outside: signatures, and receivers that events are pushed to."""
