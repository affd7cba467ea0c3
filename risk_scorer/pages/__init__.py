"""Templates and static files of the scorer's own pages; no logic."""
