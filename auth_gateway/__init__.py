"""The login and token service."""
