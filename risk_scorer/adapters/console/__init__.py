"""What the analyst's console stands on."""
