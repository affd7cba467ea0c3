"""The risk of a session, from what is done in it: detectors find, evidence adds up, a frozen scale says 0-100."""
