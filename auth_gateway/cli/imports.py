"""`auth-gateway users import`: people from another system, from a file of one of four formats."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from auth_gateway.adapters.imports import auth0, csv, keycloak, own
from auth_gateway.cli.complaints import WRONG_INPUT, complain
from auth_gateway.cli.console import fail, opened
from auth_gateway.core.imported import BadFile, Record
from auth_gateway.flows.imports import Outcome, report_of
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
            fail(f"{error}: is it the whole export, and --format whose export it is?")


def _readable(file: Path) -> BinaryIO:
    try:
        source = file.open("rb")
    except OSError as error:
        fail(f"the file cannot be read: {error.strerror}; name one that this user may read")
    if not source.seekable():
        source.close()
        fail("the file cannot be read twice, as an import does: give it a name of its own")
    return source


def _import(source: BinaryIO, records: Reader, *, check: bool) -> None:
    """Reads the file to its end before anybody is taken, so that one that is broken there takes nobody."""
    with opened() as gateway:
        public = frozenset() if gateway.settings.is_demo else {user.password_hash for user in demo_users()}
        outcomes = _read_through(records(source), public, gateway.imports.judged)
        if check:
            report, done = report_of(outcomes, _tell), "readable"
        else:
            report_of(outcomes)
            source.seek(0)
            report, done = gateway.imports(records(source), _tell), "taken"
        without = f" ({report.incomplete} incompletely)" if report.incomplete else ""
        typer.echo(f"{report.taken} {done}{without}, {report.refused} not {done}")
    if report.refused or report.incomplete:
        raise typer.Exit(WRONG_INPUT)


def _read_through(
    records: Iterator[Record], public: Collection[str], judged: Callable[[Record], Outcome]
) -> Iterator[Outcome]:
    """What would become of each record as far as the file alone says."""
    for record in records:
        if record.user is not None and record.user.password_hash in public:
            fail(
                "these are the demo's users, whose passwords are public: take them out and make your own by `users add`"
            )
        yield judged(record)


def _tell(outcome: Outcome) -> None:
    """One line for what was not taken; a standard error that cannot be written to does not stop the import."""
    with suppress(OSError):
        if outcome.reason is not None:
            complain(f"{outcome.place}: {outcome.reason}")
        else:
            complain(f"{outcome.place}: taken without {', '.join(outcome.remainders)}")
