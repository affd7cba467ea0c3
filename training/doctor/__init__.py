"""Looks at what the commands need and says what is wrong with it and what to do. It changes nothing."""
