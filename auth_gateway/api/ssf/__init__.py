"""The addresses of Shared Signals."""
