"""Tables declared as classes with annotated columns, and nothing else of an object mapper: statements run on Core.

A mapper, or a model that checks values which nobody gives it, would cost each process a sixth of its start.
"""

from inspect import get_annotations
from typing import Any, ClassVar, Final, get_args

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table
from sqlalchemy.types import TypeEngine

_TYPES: Final[dict[type, type[TypeEngine[Any]]]] = {
    str: String,
    bytes: LargeBinary,
    int: Integer,
    float: Float,
    bool: Boolean,
}


class _Terms(dict[str, Any]):
    """What a column is beside its name and the type of its values."""


def column(
    *,
    sa_type: TypeEngine[Any] | None = None,
    foreign_key: str | None = None,
    goes_with_it: bool = False,
    server_default: object = None,
    **of: bool,
) -> Any:
    """What a column is beside its annotation: `primary_key`, `unique`, `index`, and what old rows are taken for.

    A row that `goes_with_it` is deleted with the one that its foreign key names.
    """
    on_delete = "CASCADE" if goes_with_it else None
    return _Terms(sa_type=sa_type, foreign_key=foreign_key, on_delete=on_delete, server_default=server_default, **of)


class Row:
    """Base of one service's rows. A subclass with `table=True` is a table of that metadata: its annotations are the
    columns, in order, and one whose type admits None may be empty."""

    metadata: ClassVar[MetaData]
    __table__: ClassVar[Table]
    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(cls, *, table: bool = False) -> None:
        if not table:
            cls.metadata = MetaData()
            return
        columns = [_column(name, kind, cls.__dict__.get(name)) for name, kind in get_annotations(cls).items()]
        items = [item for item in cls.__table_args__ if not isinstance(item, dict)]
        options = {name: value for item in cls.__table_args__ if isinstance(item, dict) for name, value in item.items()}
        cls.__table__ = Table(cls.__tablename__, cls.metadata, *columns, *items, **options)


def _column(name: str, annotated: Any, terms: _Terms | None) -> Column[Any]:
    given = dict(terms or {})
    kinds = set(get_args(annotated)) or {annotated}
    may_be_empty = type(None) in kinds and not given.get("primary_key")
    (kind,) = kinds - {type(None)}
    key = given.pop("foreign_key", None)
    on_delete = given.pop("on_delete", None)
    references = [] if key is None else [ForeignKey(key, ondelete=on_delete)]
    sql_type = given.pop("sa_type", None)
    return Column(name, _TYPES[kind] if sql_type is None else sql_type, *references, nullable=may_be_empty, **given)
