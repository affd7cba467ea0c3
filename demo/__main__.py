"""Run the main job and show it: `python -m demo` (or `scripts/demo`, which sets everything up first)."""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx2
from rich.console import Console

from demo.house import ANALYST, ROOT, House, Ports, Workplace
from demo.processes import DemoFailed
from demo.story import Walk, tell

DELIVERED_WITHIN_SECONDS = 20.0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", help="end after the walk; status 0 only if every step went as promised"
    )
    parser.add_argument("--scorer-port", type=int, default=8000, metavar="PORT")
    parser.add_argument("--gateway-port", type=int, default=9000, metavar="PORT")
    parser.add_argument("--application-port", type=int, default=9100, metavar="PORT")
    parser.add_argument(
        "--state", type=Path, default=ROOT / "var" / "demo", help="where the demo keeps its databases and logs"
    )
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="the model directory (trained when empty)")
    return parser.parse_args(argv)


def start(house: House, console: Console) -> None:
    """All four processes, ready."""
    began = time.monotonic()
    house.register_console()
    house.save_policy()
    house.scorer.start()
    house.receiver.start()
    house.gateway.environment = house.gateway_environment(
        house.make_credential("gateway", "score,outcomes,feedback,erase,read")
    )
    house.gateway.start()
    house.scorer.wait_until_ready(f"{house.scorer_url}/ready")
    house.gateway.wait_until_ready(f"{house.gateway_url}/ready")
    house.receiver.wait_until_ready(f"http://127.0.0.1:{house.ports.receiver}/")
    house.application.environment = {**os.environ, "DEMO_CLIENT_SECRET": house.register_application()}
    house.application.start()
    house.application.wait_until_ready(house.application_url)
    took_seconds = time.monotonic() - began
    console.print(
        f"Ready after {took_seconds:.1f} s: gateway {house.gateway_url}, scorer {house.scorer_url}\n", highlight=False
    )


def show_webhooks(house: House, console: Console, challenges: int) -> bool:
    """True once the receiver has every event that was promised, each exactly once."""
    promised = {"login.mfa_required": challenges, "login.denied": 1, "login.high_risk": 1}
    deadline = time.monotonic() + DELIVERED_WITHIN_SECONDS
    kinds: Counter[str] = Counter()
    while time.monotonic() < deadline:
        told = (delivery["message"]["type"] for delivery in house.deliveries())
        # The incident of the last step is told by a queue of its own: it may be here by now, or not.
        kinds = Counter(kind for kind in told if kind.startswith("login."))
        if all(kinds[kind] >= count for kind, count in promised.items()):
            break
        time.sleep(0.1)
    console.print("[bold]What the receiver got, each verified with the Standard Webhooks library:[/bold]")
    for delivery in house.deliveries():
        data = delivery["message"]["data"]
        console.print(
            f"   {delivery['message']['type']:<20} {delivery['id']}  user {data.get('user_id')}  "
            f"risk {data.get('risk_score')} ({data.get('risk_level')})",
            highlight=False,
        )
    if dict(kinds) == promised:
        console.print("   Killed in the middle and started again, it still got everything, once.\n", highlight=False)
        return True
    console.print(f"   [red]Not as promised:[/red] expected {promised}, got {dict(kinds)}\n", highlight=False)
    return False


def show_doors(house: House, console: Console) -> None:
    demo_credential = house.make_credential("demo", "score,read")
    password, authenticator = house.hire_analyst()
    console.print("[bold]Look around[/bold]")
    for name, text in (
        ("Sign in", f"{house.application_url}   (an application that signs people in by OpenID Connect)"),
        ("Gateway", f"{house.gateway_url}   (API at /docs, discovery at /.well-known/openid-configuration)"),
        ("Scorer", f"{house.scorer_url}   (API at /docs)"),
        ("People", "alice / Password123!   bob / S3cret!xyz"),
        ("Console", f"{house.scorer_url}/dashboard   (sign in as {ANALYST} / {password})"),
        ("", f"{authenticator}   (her authenticator's secret, for what asks for a second factor)"),
        ("", f"{house.operator_link()}   (without the gateway: one time, 10 minutes)"),
        ("For /score", f"Authorization: Bearer {demo_credential}"),
        ("Logs", f"{house.workplace.logs}   (gateway.log has the letters to Alice)"),
    ):
        console.print(f"   {name:<11}{text}", highlight=False, soft_wrap=True)


def wait_for_the_end(house: House) -> None:
    """Return on Ctrl-C, or when told to stop. Raises: DemoFailed when a service ends by itself."""
    try:
        while True:
            time.sleep(0.5)
            for child in (house.gateway, house.scorer, house.receiver, house.application):
                if not child.is_running():
                    raise DemoFailed(f"{child.name} has ended; its last words:\n{child.last_lines()}")
    except KeyboardInterrupt:
        return


def asking(house: House, name: str, scopes: str) -> httpx2.Client:
    """A service that may ask the scorer so much."""
    bearer = {"authorization": f"Bearer {house.make_credential(name, scopes)}"}
    return httpx2.Client(base_url=house.scorer_url, headers=bearer, trust_env=False, timeout=30.0)


def show(house: House, console: Console, *, once: bool) -> int:
    """The whole demo; the exit status."""
    start(house, console)
    with (
        httpx2.Client(base_url=house.gateway_url, trust_env=False, timeout=15.0) as gateway,
        asking(house, "company", "activity,vouch") as company,
        asking(house, "application", "activity") as own,
    ):
        walk = Walk(
            gateway=gateway,
            totp_secret=house.enrol_alice(),
            receiver_dies=house.receiver.kill,
            receiver_returns=house.receiver.start,
            application_url=house.application_url,
            company=company,
            application=own,
            console=console,
        )
        kept = tell(walk)
    console.print()
    kept = show_webhooks(house, console, walk.challenges) and kept
    show_doors(house, console)
    console.print("\nEvery step went as promised." if kept else "\n[red]Not as promised.[/red]")
    if once:
        console.print("These doors close now; without --once they stay open.")
    else:
        console.print("Everything stays up until Ctrl-C.")
        wait_for_the_end(house)
        console.print("\nStopping …")
    return 0 if kept else 1


def main(argv: Sequence[str] | None = None) -> int:
    chosen = arguments(argv)
    console = Console(soft_wrap=True)
    workplace = Workplace(chosen.state.resolve(), chosen.models.resolve())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would have it ignored
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop, it ends its children as on Ctrl-C
    try:
        if not workplace.has_model():
            console.print("No model yet: training one on the bundled (synthetic) sample …")
            workplace.train()
        workplace.clean()
        ports = Ports.choose(chosen.scorer_port, chosen.gateway_port, chosen.application_port)
        for name, wanted, got in (
            ("scorer", chosen.scorer_port, ports.scorer),
            ("gateway", chosen.gateway_port, ports.gateway),
            ("application", chosen.application_port, ports.application),
        ):
            if wanted != got:
                console.print(f"Port {wanted} is taken: the {name} listens on {got} instead.")
        house = House(workplace, ports)
    except DemoFailed as failed:
        console.print(f"[red]{failed}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    try:
        return show(house, console, once=chosen.once)
    except DemoFailed as failed:
        console.print(f"[red]{failed}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopping …")
        return 130
    finally:
        house.stop()


if __name__ == "__main__":
    sys.exit(main())
