"""Rows that ended by age go in portions, so that no request waits long for the writer."""

from sqlalchemy import ColumnElement, Delete, Select, Table, bindparam, delete, select

from plumbing.statements import Statement

PORTION = 1000
"""Rows that one statement takes away: some milliseconds."""


def expired(table: Table) -> Statement:
    """Deletes a portion of the rows whose `expires_at` is before `:before`."""
    return portion(table, table.c.expires_at < bindparam("before"))


def portion(table: Table, condition: ColumnElement[bool]) -> Statement:
    """Deletes a portion of the rows of which this is true; the table has a key of one column."""
    (key,) = table.primary_key.columns
    some: Select[tuple[object]] = select(key).where(condition).limit(PORTION)
    gone: Delete = delete(table).where(key.in_(some))
    return Statement(gone)
