"""A log too large for objects: every text is a small number, and what everyone adds up to is counted in columns."""
