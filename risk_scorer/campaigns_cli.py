"""`risk-scorer campaigns`: look for them, in a process of its own; list them; show one."""

from __future__ import annotations

import re
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from plumbing.logs import configure_logging, is_for_people
from plumbing.stop_signals import STOP_SIGNALS
from risk_scorer.command_frame import UNAVAILABLE, fail, opened, settings_of_process

if TYPE_CHECKING:  # brings numpy and numba, which listing does without
    from risk_scorer.flows.activity.campaigns import Looked

SHORTEST_WINDOW_SECONDS: Final = 600.0
LONGEST_WINDOW_SECONDS: Final = 31 * 86_400.0
_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0}

campaigns = typer.Typer(help="Attacks by several accounts at once.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="A JSON line for each.")]


@campaigns.command()
def run(
    follow: Annotated[bool, typer.Option("--follow", help="Go on until told to stop.")] = False,
    window: Annotated[str, typer.Option(help="How far to look back, such as 90m, 24h or 7d.")] = "24h",
    every: Annotated[
        float,
        typer.Option(min=1, max=3600, help="Seconds between two looks, with --follow; more where one takes long."),
    ] = 15.0,
    alive: Annotated[
        Path | None, typer.Option(help="A file to touch while it goes on, for a probe that looks how old it is.")
    ] = None,
    json: Json = False,
) -> None:
    """Look for campaigns among the newest events, once or again and again."""
    from risk_scorer.adapters.activity.campaign_communities import LibraryMissing
    from risk_scorer.campaigning import Heart, watch_of
    from risk_scorer.campaigning import follow as follow_on

    settings, seconds = settings_of_process(), _seconds(window)
    configure_logging(settings.risk_scorer_log_level, pretty=is_for_people(settings.risk_scorer_log_format))
    beats = {} if alive is None else {"beat": Heart(alive).beat}
    with opened(settings) as database:
        try:
            watch = watch_of(settings, database, window_seconds=seconds, **beats)
        except LibraryMissing as missing:
            fail(str(missing))
        if follow:
            follow_on(watch, _stopping(), lambda looked: _tell(looked, json), every_seconds=every, **beats)
            return
        looked = watch.look()
        if looked is None:
            fail("another process looks for campaigns", UNAVAILABLE)
        _tell(looked, json)


@campaigns.command("list")
def list_campaigns(
    state: Annotated[str, typer.Option(help="open, closed or any.")] = "any",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    json: Json = False,
) -> None:
    """Campaigns, the last opened first."""
    from risk_scorer.adapters.activity.campaign_reading import listed

    if state not in ("open", "closed", "any"):
        fail("--state is open, closed or any")
    with opened(settings_of_process()) as database:
        found = database.read(lambda tx: listed(tx, state="" if state == "any" else state, limit=limit))
    for each in found.campaigns:
        if json:
            typer.echo(msgspec.json.encode(each).decode())
            continue
        told = f"{each.score:.0f}\t{each.members} accounts\t{_when(each.opened_at)}\t{_when(each.last_seen)}"
        typer.echo(f"{each.campaign_id}\t{each.state}\t{told}\t{', '.join(mark.name for mark in each.evidence.marks)}")


@campaigns.command()
def show(campaign_id: Annotated[str, typer.Argument(help="As `campaigns list` has it.")], json: Json = False) -> None:
    """One campaign: why it is one, what its accounts share, and which they are."""
    from risk_scorer.adapters.activity.campaign_reading import detail

    with opened(settings_of_process()) as database:
        found = database.read(lambda tx: detail(tx, campaign_id)) if campaign_id.isprintable() else None
    if found is None:
        fail("there is no campaign of that id", UNAVAILABLE)
    if json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    one = found.campaign
    typer.echo(f"{one.campaign_id}\t{one.state}\t{one.score:.0f}\t{one.members} accounts")
    typer.echo(f"seen\t{_when(one.first_seen)}\t{_when(one.last_seen)}")
    for mark in one.evidence.marks:
        typer.echo(f"evidence\t{mark.name}\t{mark.text}")
    for shared in found.signals:
        typer.echo(f"signal\t{shared.kind}\t{_plain(shared.value)}\t{shared.accounts} accounts")
    for member in found.members:
        typer.echo(f"member\t{_plain(member.user_id)}\t{', '.join(member.marks)}\t{_when(member.last_seen)}")


def _tell(looked: Looked, json: bool) -> None:
    if json:
        typer.echo(msgspec.json.encode(looked).decode())
        return
    done = looked.settled
    typer.echo(
        f"{looked.events} events of {looked.accounts} accounts, {looked.read} of them new: {looked.campaigns} campaigns"
        f" ({done.opened} opened, {done.closed} closed, {done.told} accounts told of) in {looked.seconds:.1f} s"
    )


def _stopping() -> threading.Event:
    """Set once the process is told to stop; the look that is under way is finished first."""
    stop = threading.Event()

    def told(_number: int, _frame: Any) -> None:
        stop.set()

    for number in STOP_SIGNALS:
        signal.signal(number, told)
    return stop


def _seconds(window: str) -> float:
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", window)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not SHORTEST_WINDOW_SECONDS <= seconds <= LONGEST_WINDOW_SECONDS:
        fail("--window is 10m to 31d, such as 90m, 24h or 7d")
    return seconds


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _plain(text: str) -> str:
    """A text that does nothing to a terminal."""
    return "".join(sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in text)
