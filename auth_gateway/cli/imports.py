"""`auth-gateway users import`: people from another system, from a file of one of four formats."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from auth_gateway.adapters.imports import auth0, csv, keycloak, own
from auth_gateway.cli.console import WRONG_INPUT, complain, fail, opened
from auth_gateway.core.imported import BadFile, Record, problem_of
from auth_gateway.flows.imports import Outcome
from auth_gateway.opening import demo_users


class Format(StrEnum):
    """Where a file comes from."""

    OWN = "riskgate"
    KEYCLOAK = "keycloak"
    AUTH0 = "auth0"
    CSV = "csv"


Reader = Callable[[BinaryIO], Iterator[Record]]
READERS: dict[Format, Reader] = {
    Format.OWN: own.records,
    Format.KEYCLOAK: keycloak.records,
    Format.AUTH0: auth0.records,
    Format.CSV: csv.records,
}


def import_file(
    file: Annotated[Path, typer.Argument(help="What the other system exported.")],
    kind: Annotated[Format, typer.Option("--format", help="Whose export it is.")] = Format.OWN,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong with the file; take nobody.")] = False,
) -> None:
    """Take over people with the passwords they have; says who was not taken and why."""
    with _readable(file) as source:
        try:
            _import(source, READERS[kind], check=check)
        except BadFile as error:
            fail(str(error))


def _readable(file: Path) -> BinaryIO:
    try:
        source = file.open("rb")
    except OSError as error:
        fail(f"the file cannot be read: {error.strerror}")
    if not source.seekable():
        source.close()
        fail("the file cannot be read twice, as an import does: give it a name of its own")
    return source


def _import(source: BinaryIO, records: Reader, *, check: bool) -> None:
    """Reads the file to its end before anybody is taken, so that one that is broken there takes nobody."""
    with opened() as gateway:
        public = frozenset() if gateway.settings.is_demo else {user.password_hash for user in demo_users()}
        n_good, n_bad = _read_through(records(source), public, _tell if check else None)
        if check:
            typer.echo(f"{n_good} readable, {n_bad} not readable")
        else:
            source.seek(0)
            report = gateway.imports(records(source), _tell)
            without = f" ({report.incomplete} incompletely)" if report.incomplete else ""
            typer.echo(f"{report.taken} taken{without}, {report.refused} not taken")
            n_bad = report.refused + report.incomplete
    if n_bad:
        raise typer.Exit(WRONG_INPUT)


def _read_through(
    records: Iterator[Record], public: Collection[str], tell: Callable[[Outcome], None] | None
) -> tuple[int, int]:
    """How many records could be taken as far as the file alone says, and how many could not."""
    n_good = n_bad = 0
    for record in records:
        user = record.user
        if user is not None and user.password_hash in public:
            fail("these are the demo's users, whose passwords are public: they exist in the demo profile only")
        reason = record.reason if user is None else problem_of(user)
        n_good += reason is None
        n_bad += reason is not None
        if tell is not None and (reason is not None or record.remainders):
            tell(Outcome(place=record.place, reason=reason, remainders=record.remainders))
    return n_good, n_bad


def _tell(outcome: Outcome) -> None:
    """One line for what was not taken; a standard error that cannot be written to does not stop the import."""
    with suppress(OSError):
        if outcome.reason is not None:
            complain(f"{outcome.place}: {outcome.reason}")
        else:
            complain(f"{outcome.place}: taken without {', '.join(outcome.remainders)}")
