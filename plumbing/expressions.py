"""What each database has words of its own for, said once: parts of statements that compile for both."""

from typing import Any

from sqlalchemy import BigInteger, BindParameter, Boolean, Integer, Select, Text, cast, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.sql.functions import FunctionElement


class _Turn(FunctionElement[int]):
    type = Integer()
    inherit_cache = False

    def __init__(self, lock: int) -> None:
        super().__init__()
        self.lock = lock


@compiles(_Turn)
def _by_lock(turn: _Turn, _compiler: Any, **_options: Any) -> str:
    return f"CAST(pg_try_advisory_xact_lock({turn.lock}) AS INTEGER)"


@compiles(_Turn, "sqlite")
def _always(_turn: _Turn, _compiler: Any, **_options: Any) -> str:
    return "1"


def turn(lock: int) -> ColumnElement[int]:
    """1 while no other process has that lock, which is ours then until the transaction ends; always 1 where writers
    take turns anyway.
    """
    return _Turn(lock)


class _IsShared(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_IsShared)
def _yes(_shared: _IsShared, _compiler: Any, **_options: Any) -> str:
    return "true"


@compiles(_IsShared, "sqlite")
def _no(_shared: _IsShared, _compiler: Any, **_options: Any) -> str:
    return "0"


def is_shared() -> ColumnElement[bool]:
    """Whether writers of several processes work at the same time, so that rows must be held to be theirs."""
    return _IsShared()


class _Listed(FunctionElement[Any]):
    """The values of a JSON array, each a row."""

    name = "listed"
    inherit_cache = True


@compiles(_Listed)
def _elements(listed: _Listed, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(listed.clauses, **options)} AS JSON))"


@compiles(_Listed, "sqlite")
def _each(listed: _Listed, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(listed.clauses, **options)})"


def texts_of(array: BindParameter[str]) -> Select[str]:
    """The texts in a JSON array, each a row; what several processes lock in this order ties no knot."""
    value = _Listed(array).table_valued("value").c.value
    return select(cast(value, Text).label("value")).order_by(value)


def numbers_of(array: BindParameter[str]) -> Select[int]:
    """The whole numbers in a JSON array, each a row."""
    value = _Listed(array).table_valued("value").c.value
    return select(cast(value, BigInteger).label("value"))


class _WholePart(FunctionElement[int]):
    """What stands before the point of a number that is not negative."""

    type = BigInteger()
    inherit_cache = True


@compiles(_WholePart)
def _floor(whole: _WholePart, compiler: Any, **options: Any) -> str:
    return f"CAST(FLOOR({compiler.process(whole.clauses, **options)}) AS BIGINT)"  # a cast alone would round


@compiles(_WholePart, "sqlite")
def _cast(whole: _WholePart, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(whole.clauses, **options)} AS INTEGER)"


def whole_part(number: ColumnElement[float]) -> ColumnElement[int]:
    """A number that is not negative, rounded down to a whole one."""
    return _WholePart(number)


class _Bytewise(FunctionElement[str]):
    """A text as its bytes sort, whatever the database's own order of words is."""

    type = Text()
    inherit_cache = True


@compiles(_Bytewise)
def _collated(text: _Bytewise, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(text.clauses, **options)}) COLLATE "C"'


@compiles(_Bytewise, "sqlite")
def _as_it_is(text: _Bytewise, compiler: Any, **options: Any) -> str:
    return str(compiler.process(text.clauses, **options))


def bytewise(text: ColumnElement[str]) -> ColumnElement[str]:
    """A text that is compared and ordered by its bytes; an index for it says COLLATE "C" on PostgreSQL."""
    return _Bytewise(text)
