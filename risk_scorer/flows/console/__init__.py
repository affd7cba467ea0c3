"""What the analyst's console does: one use case a module, with its ports."""
