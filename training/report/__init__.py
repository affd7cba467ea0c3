"""An evaluation as one HTML file that needs no server, no script and no other origin."""
