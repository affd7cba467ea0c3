"""docker-compose.yml says what our services, files and engines know; its shape is `scripts/check`'s matter."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from auth_gateway.core.provider.client import ADMIN_SCOPES
from auth_gateway.settings import Settings as GatewaySettings
from risk_scorer.settings import Settings as ScorerSettings
from tests.compose import COMPOSE, MAKE_ENV, ROOT, VARIABLE, Missing, document, filled, made_env, services
from tests.probes import watched_file

PROFILES = ("embedded", "full", "training")
OURS = {"riskgate-gateway": GatewaySettings, "riskgate-scorer": ScorerSettings}
LOOKING = {
    name: ScorerSettings
    for name, each in document()["services"].items()
    if each.get("entrypoint") == ["risk-scorer"] and each["command"][:2] == ["campaigns", "run"]
}
"""The services that look for campaigns, by the scorer's settings."""
SERVING = LOOKING | {
    name: OURS[each["image"]]
    for name, each in document()["services"].items()
    if each["image"] in OURS and "entrypoint" not in each
}
"""The services that run `serve` or look for campaigns, and whose settings their environment holds."""
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What make-env writes for the profile `full`."""
    return made_env(tmp_path_factory.mktemp("checkout"), "full")


def mounts(service: dict[str, Any]) -> list[tuple[str, str]]:
    """(source, place) of its volumes."""
    parts = [VARIABLE.sub(lambda match: match["rest"], text).split(":") for text in service.get("volumes", [])]
    return [(source, place) for source, place, *_ in parts]


def addresses(file: Path, port: int) -> list[str]:
    return re.findall(rf"server ([\d.]+):{port} ", file.read_text(encoding="utf-8"))


def test_every_service_belongs_to_one_profile_and_needs_its_own_alone() -> None:
    """A bare `docker compose up` starts what .env chose, and no service waits for one that does not start."""
    for name, service in document()["services"].items():
        assert len(service["profiles"]) == 1, name
        (profile,) = service["profiles"]
        assert profile in PROFILES
        assert set(service.get("depends_on", {})) <= set(services(profile)), name
    assert set(services("embedded")) == {"gateway", "scorer", "scorer-credential", "scorer-campaigns"}
    assert {"gateway-1", "gateway-2", "scorer-1", "scorer-2", "postgresql", "redis", "kafka", "edge"} <= set(
        services("full")
    )


@pytest.mark.parametrize("name", sorted(SERVING))
def test_our_services_know_every_name_and_start_with_these_settings(
    name: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt name would be a setting that nobody applies, and one that contradicts another stops the start."""
    kind = SERVING[name]
    given = filled(document()["services"][name]["environment"], env)
    assert set(given) <= {field.upper() for field in kind.model_fields}
    for field in kind.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    settings = kind()
    for key, value in given.items():
        assert not value or getattr(settings, key.lower()) is not None, key


@pytest.mark.parametrize(("name", "scorer"), [("scorer-campaigns", "scorer"), ("campaigns", "scorer-1")])
def test_who_looks_for_campaigns_reads_what_the_scorer_writes(name: str, scorer: str) -> None:
    """The same file or database, told to the same gateway, from the image that has the library."""
    looking, serving = document()["services"][name], document()["services"][scorer]
    assert set(LOOKING) == {"scorer-campaigns", "campaigns"}
    assert looking["image"] == "riskgate-trainer"
    shared = ("RISK_SCORER_DATABASE", "SESSION_SIGNAL_URL", "SESSION_SIGNAL_SECRET", "WEBHOOK_URL")
    assert [looking["environment"].get(key) for key in shared] == [serving["environment"].get(key) for key in shared]
    assert watched_file(looking["healthcheck"]["test"][1].replace("$$", "$")) == looking["command"][-1]
    if name == "scorer-campaigns":
        state = f"ENV RISK_SCORER_STATE={looking['environment']['RISK_SCORER_STATE']} "
        assert state in (ROOT / "Dockerfile").read_text(encoding="utf-8")
        assert "scorer-state:/var/lib/riskgate" in looking["volumes"]
        assert "scorer-state:/var/lib/riskgate" in serving["volumes"]


@pytest.mark.parametrize("pair", [("gateway-1", "gateway-2"), ("scorer-1", "scorer-2")])
def test_both_of_a_kind_are_the_same_but_for_address_and_place(pair: tuple[str, str]) -> None:
    """Gateways share the directory of keys; scorers the model, and each has a place of its own for caches."""
    first, second = (dict(document()["services"][name]) for name in pair)
    for service in (first, second):
        service.pop("networks")
        service["volumes"] = [text.replace("scorer-1-", "").replace("scorer-2-", "") for text in service["volumes"]]
    assert first == second
    assert document()["services"]["gateway-1"]["volumes"] == ["gateway-keys:/var/lib/riskgate"]


def test_only_nginx_is_published() -> None:
    """Whatever else has a port has it on this machine alone; what holds data is on networks that lead nowhere."""
    internal = {name for name, network in document()["networks"].items() if network and network.get("internal")}
    for name, service in document()["services"].items():
        for port in service.get("ports", []):
            assert name == "edge" or port.startswith("127.0.0.1:"), name
    for name in ("postgresql", "redis", "kafka", "prometheus"):
        assert set(services("full")[name]["networks"]) <= internal, name
    published = {name for name, service in services("full").items() if "ports" in service}
    assert published == {"edge", "grafana", "balancer"}


@pytest.mark.parametrize("name", sorted(document()["services"]))
def test_every_container_can_do_little(name: str) -> None:
    """Nothing to write to but what it was given, no capability that is not named, a version, an end."""
    service = document()["services"][name]
    assert service["read_only"] is (name != "kafka")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", [])) <= {"CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"}
    assert "cap_add" not in service or service["image"].startswith("nginx:")
    assert service["image"].startswith("riskgate-") or re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"])
    if "full" in service["profiles"] and name not in ("credential", "topics"):
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
        assert "stop_grace_period" in service or name in ("redis", "prometheus", "grafana")


def test_no_secret_has_a_default(env: dict[str, str]) -> None:
    """Each that is needed must be given, make-env makes all of them, and without any of them nothing starts."""
    required = {match["name"] for match in VARIABLE.finditer(COMPOSE.read_text()) if match["kind"] == ":?"}
    assert required == set(env) - {"COMPOSE_PROFILES"}
    for match in VARIABLE.finditer(COMPOSE.read_text()):
        is_secret = re.search("PASSWORD|SECRET|CREDENTIAL|SMTP_URL", match["name"])
        assert not is_secret or match["kind"] == ":?" or match["rest"] == "", match["name"]
    for name in sorted(required):
        with pytest.raises(Missing, match=name):
            filled(document()["services"], {**env, name: ""})


@pytest.mark.parametrize("name", ["scorer", "scorer-1", "scorer-2"])
def test_the_console_signs_in_where_people_do(name: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a client there are links alone; registered, it is that gateway's, and comes back where people are."""
    for field in ScorerSettings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    told = {"CONSOLE_CLIENT_ID": "console", "CONSOLE_CLIENT_SECRET": "rgc_x", "CONSOLE_URL": "https://soc.example"}
    for given, client, url in ((env, None, "http://localhost:8000"), ({**env, **told}, "console", told["CONSOLE_URL"])):
        for key, value in filled(document()["services"][name]["environment"], given).items():
            monkeypatch.setenv(key, value)
        settings = ScorerSettings()
        assert (settings.console_client_id, settings.public_url) == (client, url)
        assert settings.issuer_of_console == env["JWT_ISSUER"]


def test_the_console_is_registered_with_rights_that_there_are() -> None:
    """The one command that operators are shown names scopes that the gateway gives, and the console's own addresses."""
    page = (ROOT / "docs" / "console.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"auth-gateway clients add console(.+?)\n```", page, re.S)
    scopes = set(re.findall(r"--scope (\S+)", block))
    assert {"openid", "profile", "risk:write", "webhooks:manage"} <= scopes <= {"openid", "profile", *ADMIN_SCOPES}
    for path in ("callback", "signed-out", "backchannel-logout"):
        assert f"/operator/{path}" in block


def test_make_env_draws_fresh_secrets_and_never_overwrites(tmp_path: Path) -> None:
    """What it has written is its owner's alone, and stays."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = made_env(tmp_path / "a", "full"), made_env(tmp_path / "b", "embedded", "https://id.example/")
    assert (first.pop("COMPOSE_PROFILES"), second.pop("COMPOSE_PROFILES")) == ("full", "embedded")
    assert (first.pop("JWT_ISSUER"), second.pop("JWT_ISSUER")) == ("https://login.example.com", "https://id.example")
    secrets = [*first.values(), *second.values()]
    assert len(set(secrets)) == 2 * len(first)
    assert all(re.fullmatch(r"(rgs_)?[A-Za-z0-9_-]{43}|whsec_[A-Za-z0-9+/]{43}=", secret) for secret in secrets)
    assert (tmp_path / "a" / ".env").stat().st_mode & 0o777 == 0o600
    for given in (["full", "https://other.example"], ["full", "http://other.example"], ["both", "https://x.example"]):
        again = subprocess.run(["sh", str(tmp_path / "a" / MAKE_ENV), *given], capture_output=True, timeout=20)
        assert again.returncode in (1, 2)
    assert "other.example" not in (tmp_path / "a" / ".env").read_text()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://id.example",
        "https://",
        "https:///x",
        "https://x//",
        "https://a b",
        "https://x\nA=b",
        "https://x$HOME",
    ],
)
def test_make_env_takes_nothing_that_env_could_read_as_something_else(tmp_path: Path, address: str) -> None:
    """Such as a line of its own, or a variable; nothing is written then."""
    with pytest.raises(subprocess.CalledProcessError) as ended:
        made_env(tmp_path, "full", address)
    assert ended.value.returncode == 2
    assert not (tmp_path / ".env").exists()


def test_what_is_mounted_is_there() -> None:
    """Files of ours, and volumes that are declared."""
    for name, service in document()["services"].items():
        for source, _ in mounts(service):
            if not source.startswith("./"):
                assert source in document()["volumes"], name
            elif not source.startswith("./deploy/compose/tls/"):  # the operator's own
                assert (ROOT / source).exists(), source


def test_addresses_agree() -> None:
    """nginx knows both gateways, which believe nginx alone; the balancer knows both scorers, and the gateways it."""
    full = services("full")
    gateways = [full[name]["networks"]["edge"]["ipv4_address"] for name in ("gateway-1", "gateway-2")]
    scorers = [full[name]["networks"]["inner"]["ipv4_address"] for name in ("scorer-1", "scorer-2")]
    assert addresses(DEPLOY / "compose" / "gateways.conf", 9000) == gateways
    assert addresses(DEPLOY / "compose" / "balancer.conf", 8000) == scorers
    for name in ("gateway-1", "gateway-2"):
        given = full[name]["environment"]
        assert given["TRUSTED_PROXIES"] == f"{full['edge']['networks']['edge']['ipv4_address']}/32"
        assert given["RISK_API_URL"] == "http://balancer:8000"


def _doors(kind: str, name: str) -> list[str]:
    """Where those who watch ask the services of that kind."""
    found = {service: each for service, each in services("full").items() if service.startswith(kind)}
    return [f"{service}:{each['environment'][name].rpartition(':')[2]}" for service, each in found.items()]


def test_prometheus_asks_every_service_at_its_door() -> None:
    """By the names of jobs that rules and dashboard expect, and with the rules that are mounted."""
    config = YAML(typ="safe").load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    asked = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert asked == {
        "riskgate-gateway": _doors("gateway-", "AUTH_GATEWAY_METRICS_LISTEN"),
        "riskgate-scorer": _doors("scorer-", "RISK_SCORER_METRICS_LISTEN"),
    }
    places = [place for _, place in mounts(services("full")["prometheus"])]
    assert {f"/etc/prometheus/{name}" for name in config["rule_files"]} < set(places)


def test_grafana_finds_its_dashboard_and_its_prometheus() -> None:
    """The folder that it looks into holds the dashboard; the data source is the one beside it."""
    provisioning = DEPLOY / "grafana" / "provisioning"
    (provider,) = YAML(typ="safe").load((provisioning / "dashboards" / "riskgate.yml").read_text())["providers"]
    places = {place: source for source, place in mounts(services("full")["grafana"])}
    (shown,) = [source for place, source in places.items() if place.startswith(provider["options"]["path"] + "/")]
    assert json.loads((ROOT / shown).read_text())["uid"] == "riskgate"
    (source,) = YAML(typ="safe").load((provisioning / "datasources" / "riskgate.yml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")


def test_every_topic_is_made() -> None:
    """None is made by us when it is missing."""
    (script,) = services("full")["topics"]["command"]
    made = set(re.search(r"for topic in (.+?);", script)[1].split())  # type: ignore[index]
    given = services("full")["scorer-1"]["environment"]
    asked = {given[name] for name in given if name.startswith("KAFKA_TOPIC")}
    asked |= {str(ScorerSettings.model_fields[name].default) for name in ("kafka_topic_in", "kafka_topic_out")}
    assert made == asked | {str(ScorerSettings.model_fields["kafka_topic_dead"].default)}
    assert services("full")["gateway-1"]["environment"]["KAFKA_TOPIC_OUTCOMES"] == given["KAFKA_TOPIC_OUTCOMES"]
