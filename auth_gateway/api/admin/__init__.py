"""Addresses for programs that run the gateway: each shows an access token of its own."""
