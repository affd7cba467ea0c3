"""The analyst's console: one file for each view, which parses, asks one flow and renders."""
