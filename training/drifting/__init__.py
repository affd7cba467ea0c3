"""Whether a model still fits those who log in: from a log, or from what the scorers counted."""
