"""Parse, call one flow, render; what is trusted from the edge."""
