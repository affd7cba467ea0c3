"""Everything the demo sets up before the walk: model, secrets, credentials, and three processes with their settings."""

import base64
import json
import os
import re
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.processes import Child, DemoFailed, command, free_port, run

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample_logins.csv"
NETWORKS = ROOT / "demo" / "networks.toml"
POLICY = ROOT / "demo" / "policy.toml"
CLIENT_ID = "demo-application"
CONSOLE_ID = "console"
CONSOLE_SCOPES = (
    "openid", "profile", "risk:read", "risk:write", "events:read", "webhooks:manage", "policy:read", "policy:write",
)  # fmt: skip
ANALYST = "mara"


def only(pattern: str, printed: str) -> str:
    """The first match of `pattern` in what a command printed."""
    if (match := re.search(pattern, printed)) is None:
        raise DemoFailed(f"a command did not print what was expected ({pattern})")
    return match.group()


@dataclass(frozen=True)
class Ports:
    """Where each process listens, on 127.0.0.1 only."""

    scorer: int
    gateway: int
    receiver: int
    application: int

    @classmethod
    def choose(cls, scorer: int, gateway: int, application: int) -> "Ports":
        return cls(free_port(scorer), free_port(gateway), free_port(0), free_port(application))


class Workplace:
    """The demo's own folder: a clean slate at every start, but for what is costly to make (geo cache, model key)."""

    def __init__(self, state: Path, models: Path) -> None:
        self.state, self.models = state, models
        self.signing_key = state.parent / "training" / "signing.key"
        self.deliveries = state / "receiver.jsonl"
        self.logs = state / "logs"

    def clean(self) -> None:
        """Histories, users and tokens of an earlier demo would make this walk another one."""
        for name in ("scorer", "gateway", "logs"):
            shutil.rmtree(self.state / name, ignore_errors=True)
        self.deliveries.unlink(missing_ok=True)
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)

    def has_model(self) -> bool:
        return (self.models / "manifest.sig").is_file()

    def train(self) -> None:
        """Make a model from the bundled sample with the engineers' own command."""
        run(
            [
                command("risk-training"), "train", "--input", str(SAMPLE), "--model_dir", str(self.models),
                "--key", str(self.signing_key), "--ip_overlay", str(NETWORKS),
            ],
            environment=os.environ,
            show=True,
        )  # fmt: skip


class House:
    """The services of one demo run."""

    def __init__(self, workplace: Workplace, ports: Ports) -> None:
        self.workplace, self.ports = workplace, ports
        self.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.console_secret: str | None = None
        self.signal_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.scorer_url = f"http://127.0.0.1:{ports.scorer}"
        self.gateway_url = f"http://localhost:{ports.gateway}"
        self.application_url = f"http://localhost:{ports.application}"
        python, logs = sys.executable, workplace.logs
        self.scorer = Child(
            "the scorer", [command("risk-scorer"), "serve"], self.scorer_environment(), logs / "scorer.log"
        )
        self.receiver = Child(
            "the webhook receiver",
            [python, "-m", "demo.receiver", str(ports.receiver), str(workplace.deliveries)],
            {**os.environ, "DEMO_WEBHOOK_SECRET": self.webhook_secret},
            logs / "receiver.log",
        )
        self.gateway = Child("the gateway", [command("auth-gateway"), "serve"], {}, logs / "gateway.log")
        self.application = Child(
            "the application",
            [python, "-m", "demo.application", str(ports.application), self.gateway_url, CLIENT_ID],
            {},
            logs / "application.log",
        )

    def webhook_environment(self) -> dict[str, str]:
        return {
            "WEBHOOK_URL": f"http://127.0.0.1:{self.ports.receiver}/hooks",
            "WEBHOOK_SECRET": self.webhook_secret,
            "WEBHOOK_RETRY_FIRST_SECONDS": "0.5",
            "MFA_TENANT": "demo",
        }

    def scorer_environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.webhook_environment(),
            "MODEL_DIR": str(self.workplace.models),
            "MODEL_PUBLIC_KEYS": str(self.workplace.signing_key.with_suffix(".pub")),
            "RISK_SCORER_PROFILE": "demo",
            "RISK_SCORER_STATE": str(self.workplace.state / "scorer"),
            "RISK_SCORER_GEO_CACHE": str(self.workplace.state / "geo"),
            "RISK_SCORER_PORT": str(self.ports.scorer),
            "IP_OVERLAY": str(NETWORKS),
            "GATEWAY_ISSUER": self.gateway_url,
            "SESSION_SIGNAL_URL": f"{self.gateway_url}/signals/session-risk",
            "SESSION_SIGNAL_SECRET": self.signal_secret,
            **self.console_environment(),
        }

    def console_environment(self) -> dict[str, str]:
        """What makes the scorer's console a client of the gateway, once it is registered there."""
        if self.console_secret is None:
            return {}
        return {"CONSOLE_CLIENT_ID": CONSOLE_ID, "CONSOLE_CLIENT_SECRET": self.console_secret}

    def gateway_environment(self, credential: str) -> dict[str, str]:
        return {
            # Alice has an authenticator and no passkey: near high she would be refused instead of asked.
            "LOGIN_POLICY_PHISHING_RESISTANT_FROM": "80",
            **os.environ,
            **self.webhook_environment(),
            "AUTH_GATEWAY_PROFILE": "demo",
            "AUTH_GATEWAY_STATE": str(self.workplace.state / "gateway"),
            "AUTH_GATEWAY_PORT": str(self.ports.gateway),
            "JWT_ISSUER": self.gateway_url,
            "RISK_API_URL": self.scorer_url,
            "RISK_API_CREDENTIAL": credential,
            "SESSION_SIGNAL_SECRET": self.signal_secret,
        }

    def make_credential(self, name: str, scopes: str) -> str:
        """A service credential of the scorer, printed once by its command."""
        printed = run(
            [command("risk-scorer"), "credentials", "add", name, "--scope", scopes],
            environment=self.scorer_environment(),
        )
        return only(r"rgs_[\w-]+", printed)

    def register_application(self) -> str:
        """The secret of the demo's OpenID Connect client, printed once."""
        printed = run(
            [
                command("auth-gateway"), "clients", "add", CLIENT_ID, "--name", "Demo application",
                "--grant", "authorization_code", "--grant", "refresh_token",
                "--redirect-uri", f"{self.application_url}/callback",
                "--post-logout-redirect-uri", f"{self.application_url}/",
                "--backchannel-logout-uri", f"{self.application_url}/backchannel-logout",
            ],
            environment=self.gateway.environment,
        )  # fmt: skip
        return only(r"rgc_[\w-]+", printed)

    def register_console(self) -> None:
        """Make the console a client of the gateway, for signing people in and for what it does to accounts; before the
        scorer starts, which is told the secret."""
        scopes = [part for scope in CONSOLE_SCOPES for part in ("--scope", scope)]
        printed = run(
            [
                command("auth-gateway"), "clients", "add", CONSOLE_ID, "--name", "Analyst's console",
                "--grant", "authorization_code", "--grant", "client_credentials", *scopes,
                "--audience", self.gateway_url,
                "--redirect-uri", f"{self.scorer_url}/operator/callback",
                "--post-logout-redirect-uri", f"{self.scorer_url}/operator/signed-out",
                "--backchannel-logout-uri", f"{self.scorer_url}/operator/backchannel-logout",
            ],
            environment=self.gateway_environment("rgs_of_later"),
        )  # fmt: skip
        self.console_secret = only(r"rgc_[\w-]+", printed)
        self.scorer.environment = self.scorer_environment()

    def save_policy(self) -> None:
        """Keep the demo's rules in the gateway's database, where the console changes them."""
        words = ["--by", "the demo", "--why", "people of the demo get in again"]
        run(
            [command("auth-gateway"), "policy", "save", str(POLICY), *words],
            environment=self.gateway_environment("rgs_of_later"),
        )

    def hire_analyst(self) -> tuple[str, str]:
        """Mara's password and authenticator's secret: she has an account at the gateway and a role at the console."""
        password = secrets.token_urlsafe(12)
        gateway = command("auth-gateway")
        added = [gateway, "users", "add", ANALYST, "--password-stdin"]
        run(added, environment=self.gateway.environment, given=f"{password}\n")
        printed = run([gateway, "users", "enrol-totp", ANALYST], environment=self.gateway.environment)
        role = [command("risk-scorer"), "operators", "add", ANALYST, "--role", "admin"]
        run(role, environment=self.scorer_environment())
        return password, only(r"(?<=secret=)[A-Z2-7]+", printed)

    def operator_link(self) -> str:
        printed = run([command("risk-scorer"), "operator-link"], environment=self.scorer_environment())
        return only(r"https?://\S+", printed)

    def enrol_alice(self) -> str:
        """Alice's TOTP secret in base32, as her authenticator would hold it."""
        printed = run([command("auth-gateway"), "users", "enrol-totp", "alice"], environment=self.gateway.environment)
        return only(r"(?<=secret=)[A-Z2-7]+", printed)

    def stop(self) -> None:
        for child in (self.application, self.gateway, self.scorer, self.receiver):
            child.stop()

    def deliveries(self) -> list[dict[str, Any]]:
        """What the receiver verified and kept, in the order of arrival."""
        path = self.workplace.deliveries
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
