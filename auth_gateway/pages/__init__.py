"""Templates and static files; no logic."""
