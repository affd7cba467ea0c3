"""One outside thing each, with its timeout and how it fails."""
