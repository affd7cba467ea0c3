"""Joins the console's views with what they read: one module for each of them, found by its name. No rule lives here."""
