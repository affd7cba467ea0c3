"""Marks for a budget, found on logins that a model never saw, and the new signed version that carries them."""
