"""The scoring service: how risky is this login, and why."""
