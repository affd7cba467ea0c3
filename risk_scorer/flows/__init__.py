"""One use case each, with the ports they call."""
