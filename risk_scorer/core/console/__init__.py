"""What the analyst's console shows: its rules, pure."""
