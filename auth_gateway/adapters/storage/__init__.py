"""Tables and repositories: rows never leave, values do."""
