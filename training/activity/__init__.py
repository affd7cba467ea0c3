"""Invented activity behind the login, with labelled attacks: synthetic, nobody's data."""
