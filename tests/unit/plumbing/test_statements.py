"""A statement is compiled once, and takes exactly the parameters it names."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert_for_both
from sqlalchemy.dialects.sqlite import insert as upsert

from plumbing.statements import Statement, Transaction

METADATA = MetaData()
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("age", Integer),
    Column("height", Float),
)
DEFAULTED = Table("defaulted", METADATA, Column("id", Text, primary_key=True), Column("n", Integer, default=3))

ADD = Statement(insert(PEOPLE))
ALL = Statement(select(PEOPLE.c.id, PEOPLE.c.age).order_by(PEOPLE.c.id))
BIRTHDAY = Statement(
    update(PEOPLE)
    .where(PEOPLE.c.id == bindparam("who"), PEOPLE.c.age == bindparam("old"))
    .values(age=PEOPLE.c.age + 1)
    .returning(PEOPLE.c.age)
)


@pytest.fixture
def transaction() -> Iterator[Transaction]:
    """A transaction on an empty table of people."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("create table people (id text primary key, age integer, height real)")
    yield Transaction(connection)
    connection.close()


def test_rows_come_back_as_they_went_in(transaction: Transaction) -> None:
    """A bare insert takes every column; None is NULL."""
    assert transaction.run(ADD, id="ann", age=30, height=1.7) == 1
    assert transaction.run(ADD, id="bob", age=None, height=None) == 1
    assert transaction.all(ALL) == [("ann", 30), ("bob", None)]


def test_constants_of_the_expression_are_kept(transaction: Transaction) -> None:
    """Literals, a limit and a repeated name keep their places among the marks."""
    transaction.many(ADD, [{"id": f"p{i}", "age": i, "height": 1.0} for i in range(9)])
    column = PEOPLE.c.age
    odd = Statement(
        select(column).where(column > 2, column < bindparam("x"), column != bindparam("x")).order_by(column).limit(2)
    )
    assert transaction.all(odd, x=8) == [(3,), (4,)]


def test_compare_and_set_tells_whether_it_won(transaction: Transaction) -> None:
    """The second of two equal changes finds nothing to change."""
    transaction.run(ADD, id="ann", age=30, height=1.7)
    assert transaction.one(BIRTHDAY, who="ann", old=30) == (31,)
    assert transaction.one(BIRTHDAY, who="ann", old=30) is None


def test_many_rows_count_together(transaction: Transaction) -> None:
    """The count of changed rows is of all of them."""
    assert transaction.many(ADD, [{"id": str(i), "age": i, "height": 0.5} for i in range(50)]) == 50
    assert transaction.run(Statement(delete(PEOPLE).where(PEOPLE.c.age >= 40))) == 10
    assert transaction.many(ADD, []) <= 0


def test_an_upsert_is_a_statement_like_any_other(transaction: Transaction) -> None:
    """Conflict clauses carry parameters too."""
    put = Statement(
        upsert(PEOPLE)
        .values(id=bindparam("who"), age=1)
        .on_conflict_do_update(index_elements=["id"], set_={"age": bindparam("again")})
    )
    transaction.run(put, who="ann", again=5)
    transaction.run(put, who="ann", again=5)
    assert transaction.all(ALL) == [("ann", 5)]


@pytest.mark.parametrize("given", [{}, {"who": "ann"}, {"who": "ann", "old": 1, "odd": 2}, {"wo": "ann", "old": 1}])
def test_a_wrong_set_of_parameters_is_refused(transaction: Transaction, given: dict[str, str | int]) -> None:
    """A misspelt name must not become NULL."""
    with pytest.raises(TypeError, match="parameters"):
        transaction.run(BIRTHDAY, **given)


def test_text_is_compiled_once() -> None:
    """The second use finds the first one's work."""
    assert ALL.compiled() is ALL.compiled()


def test_a_list_of_unknown_length_is_refused() -> None:
    """Its text would depend on its values."""
    with pytest.raises(ValueError, match="depends on its values"):
        Statement(select(PEOPLE).where(PEOPLE.c.id.in_(bindparam("ids", expanding=True)))).compiled()


def test_a_default_that_lives_in_python_is_refused() -> None:
    """It would silently become NULL."""
    with pytest.raises(ValueError, match="default"):
        Statement(insert(DEFAULTED).values(id=bindparam("who"))).compiled()
    assert Statement(insert(DEFAULTED)).compiled().expected == {"id", "n"}


def test_plain_text_is_a_statement() -> None:
    """For what the expression language cannot say."""
    assert Statement(text("select :a + :b + :a")).compiled().names == ("a", "b", "a")


def test_one_expression_is_text_of_both_dialects() -> None:
    """The marks differ, the names and their order do not; a truth value's place is known."""
    flags = Table("flags", MetaData(), Column("id", Text, primary_key=True), Column("is_set", Boolean, nullable=False))
    put = Statement(
        upsert_for_both(flags)
        .values(id=bindparam("who"), is_set=bindparam("truth"))
        .on_conflict_do_update(index_elements=["id"], set_={"is_set": bindparam("truth")})
    )
    here, there = put.compiled(), put.compiled("postgresql")
    assert (here.sql.count("?"), there.sql.count("%s")) == (3, 3)
    assert here.names == there.names == ("who", "truth", "truth")
    assert there.truths == (1, 2)


def test_a_lock_on_what_is_looked_at_is_for_the_server_alone() -> None:
    """SQLite has one writer, and no such clause."""
    look = Statement(select(PEOPLE.c.age).where(PEOPLE.c.id == bindparam("who")).with_for_update(key_share=True))
    assert "FOR" not in look.compiled().sql
    assert look.compiled("postgresql").sql.endswith("FOR NO KEY UPDATE")
