"""An invented world of people, devices, networks and attackers, for a sample log that needs no real person's data."""
