"""The engineers' command line: from raw login events to a signed model."""
