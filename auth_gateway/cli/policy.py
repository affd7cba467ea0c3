"""`auth-gateway policy`: the document of rules that are asked before the built-in tables."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from auth_gateway.adapters.policy_file import read_document
from auth_gateway.adapters.saved_policy import SavedPolicy
from auth_gateway.adapters.storage.decision_log import StoredDecisions
from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.assembly import Gateway
from auth_gateway.cli.backtest_shown import as_json, show_tally
from auth_gateway.cli.complaints import WRONG_INPUT, printable
from auth_gateway.cli.console import fail, moment, moment_given, opened, row, settings_or_fail
from auth_gateway.core.policy_document import BadDocument, parse
from auth_gateway.core.policy_rule import NO_DOCUMENT, PolicyDocument, Rule
from auth_gateway.core.policy_session_marks import NEVER
from auth_gateway.core.policy_version import NEWEST
from auth_gateway.core.session_risk import USUAL, SessionMarks
from auth_gateway.flows.backtest import Backtest
from auth_gateway.flows.policy_desk import MOST_SHOWN, PolicyDesk
from auth_gateway.flows.said import said
from auth_gateway.policing import opened_document, switches
from auth_gateway.settings import Settings

app = typer.Typer(help="Rules beside the built-in tables.", no_args_is_help=True, rich_markup_mode=None)

Document = Annotated[Path, typer.Argument(help="The document, a TOML file.")]


@app.command("check")
def check(file: Document) -> None:
    """Read a document as the gateway would with these settings, and name all that is wrong with it."""
    document = _read(file, settings_or_fail())
    reporting = sum(rule.report_only for rule in document.rules)
    marks = f"; {len(document.marks)} marks" if document.marks else ""
    typer.echo(f"{len(document.rules)} rules, {reporting} of them report-only{marks}")


@app.command("show")
def show() -> None:
    """Print the rules of LOGIN_POLICY_FILE, or those that were saved, in their order: number, name, answer, requests,
    conditions; then the marks of applications and people: from which score they are asked and denied; then those of
    sessions where they are not the usual ones."""
    settings = settings_or_fail()
    with opened(settings) as gateway:
        document = _present(gateway)
    for number, rule in enumerate(document.rules, 1):
        row(str(number), rule.name, _answer(rule), ",".join(rule.paths), rule.asks)
    for own in document.marks:
        row("marks", own.meant, f"step_up={own.marks.step_up:g}", f"deny={own.marks.deny:g}", own.model or "any model")
    if document.session_marks != USUAL:
        row("session marks", *_of_sessions(document.session_marks))
    policy = switches(settings)
    row("then", "built-in tables", *(f"{name}={getattr(policy, name)}" for name in policy.__struct_fields__))


@app.command("backtest")
def backtest(
    file: Document,
    since: Annotated[str, typer.Option("--from", help="First moment, such as 2026-01-31 or 2026-01-31T08:00Z; UTC.")],
    until: Annotated[str, typer.Option("--to", help="The moment before which it ends; now if left out.")] = "",
    as_json_text: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Decide recorded logins, refreshes and answered challenges again under a document, beside the rules in force."""
    settings = settings_or_fail()
    candidate, begin = _read(file, settings), moment_given(since, "--from")
    with opened(settings) as gateway:
        present = _present(gateway)
        end = moment_given(until, "--to") if until else gateway.clock.now()
        if end <= begin:
            fail("--to must be later than --from")
        replay = Backtest(
            database=gateway.database, decisions=StoredDecisions(), policy=switches(settings), present=present
        )
        tally = replay(candidate, since=begin, until=end)
    if as_json_text:
        typer.echo(msgspec.json.encode({"from": moment(begin), "to": moment(end), **as_json(tally)}).decode())
    else:
        show_tally(tally, moment(begin), moment(end))


@app.command("save")
def save(
    file: Document,
    by: Annotated[str, typer.Option("--by", help="Who saves it.")],
    why: Annotated[str, typer.Option("--why", help="Why, on one line.")],
) -> None:
    """Keep a document in the database, from where every gateway without LOGIN_POLICY_FILE has it within seconds."""
    settings = settings_or_fail()
    _read(file, settings)
    with opened(settings) as gateway:
        desk = _desk(gateway)
        text = read_document(file).decode()
        version = desk.in_force().version.version
        saved = desk.save(text, said(by, why), expected_version=version)
    typer.echo(f"version {saved.version}: {saved.rules} rules")


@app.command("history")
def history() -> None:
    """Print the saved documents, the newest first: version, time, rules, who, why."""
    with opened() as gateway:
        for each in _desk(gateway).history(NEWEST, MOST_SHOWN):
            row(str(each.version), moment(each.at), f"{each.rules} rules", each.by, each.why)


def _present(gateway: Gateway) -> PolicyDocument:
    """What decides at the gateways with these settings."""
    settings = gateway.settings
    if settings.login_policy_file is not None:
        return _read(settings.login_policy_file, settings)
    try:
        return SavedPolicy(gateway.database, StoredPolicyVersions(), switches(settings)).current()
    except BadDocument as bad:
        fail(f"the saved document, line {bad.problems[0].line}: {bad.problems[0].message}")


def _desk(gateway: Gateway) -> PolicyDesk:
    """Where documents are saved; what decides meanwhile is the serving gateways' own matter."""
    file = opened_document(gateway.settings)
    return PolicyDesk(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        versions=StoredPolicyVersions(),
        audit=gateway.audit,
        policy=switches(gateway.settings),
        present=lambda: NO_DOCUMENT,
        file_text=lambda: None if file is None else file.text,
        taken=lambda: None,
    )


def _read(file: Path, settings: Settings) -> PolicyDocument:
    """The document; one that is wrong ends the command with a line for each problem."""
    try:
        return parse(read_document(file), switches(settings))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}; name a file that this user may read")
    except BadDocument as bad:
        for problem in bad.problems:  # as compilers do it, so that editors find the line
            typer.echo(printable(f"{file}:{problem.line}: {problem.message}"), err=True)
        raise typer.Exit(WRONG_INPUT) from None


def _of_sessions(marks: SessionMarks) -> list[str]:
    there = {response: f"{mark:g}" for response, mark in marks.descending}
    shown = [f"{name}={there.get(name, NEVER)}" for name in ("step_up", "reset", "logout", "freeze")]
    return [*shown, "report-only"] if marks.report_only else shown


def _answer(rule: Rule) -> str:
    demand = f" {rule.demand}" if rule.then == "challenge" else ""
    return f"{rule.then}{demand}{' (report-only)' if rule.report_only else ''}"
