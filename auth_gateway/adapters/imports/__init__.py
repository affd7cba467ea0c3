"""Exports of other systems as records of people, one after the other: a file is never held as a whole."""
