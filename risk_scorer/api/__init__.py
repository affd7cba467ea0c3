"""Parse, call one flow, render."""
