"""Writes a registry of models: versions that never change, pointers to them, and a journal of who did what and why."""
