"""What analysts ask of the event store, in words: names, parameters and columns. No SQL and no storage here."""
