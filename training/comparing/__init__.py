"""Two models held against each other: on a log, or on what a shadow scored beside the one that decides."""
