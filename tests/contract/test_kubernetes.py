"""deploy/kubernetes says what our services know, and gives its pods as little as they need.

Its shape against Kubernetes' own schemas is looked at by hand: docs/operations.md#kubernetes has the command.
"""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from auth_gateway.settings import Settings as GatewaySettings
from risk_scorer.contract.signals import SIGNAL_PATH
from risk_scorer.settings import Settings as ScorerSettings
from tests.commands import options
from tests.compose import ROOT
from tests.probes import watched_file

PLACE = ROOT / "deploy" / "kubernetes"
EXAMPLE = PLACE / "overlays" / "example"
SETTINGS = {"riskgate-gateway": GatewaySettings, "riskgate-scorer": ScorerSettings}
SECRETS = {"riskgate-gateway", "riskgate-scorer", "riskgate-vault", "riskgate-model-key"}
SIGNAL_SECRET = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
STOPPING_SECONDS = 25
"""What a stop takes beside the drain: docs/operations.md."""
KUBECTL = shutil.which("kubectl")


@cache
def read(path: Path) -> tuple[dict[str, Any], ...]:
    return tuple(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


def kustomizations() -> dict[Path, dict[str, Any]]:
    return {path.parent: read(path)[0] for path in sorted(PLACE.rglob("kustomization.yaml"))}


def objects() -> list[dict[str, Any]]:
    files = [path for path in sorted(PLACE.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    return [each for path in files for each in read(path)]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each pod's name and specification."""
    for each in objects():
        if each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        elif each["kind"] == "CronJob":
            yield each["metadata"]["name"], each["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def deployment(name: str) -> dict[str, Any]:
    return dict(pods())[name]


def literals(name: str) -> dict[str, str]:
    """The settings of that name, base and example together."""
    made = [made for found in kustomizations().values() for made in found.get("configMapGenerator", [])]
    lines = [line for each in made if each["name"] == name for line in each["literals"]]
    return dict(line.split("=", 1) for line in lines)


def test_every_file_is_named_and_every_name_is_a_file() -> None:
    """What a kustomization leaves out is never applied."""
    for place, found in kustomizations().items():
        named = {(place / name).resolve() for name in [*found.get("resources", []), *found.get("components", [])]}
        assert all(path.exists() for path in named)
        assert {path.resolve() for path in place.glob("*.yaml") if path.name != "kustomization.yaml"} <= named


def test_no_secret_is_contained() -> None:
    """Secrets are referred to by name, and the operator's page names each of them."""
    assert not [each for each in objects() if each["kind"] == "Secret"]
    assert not any("secretGenerator" in found for found in kustomizations().values())
    used = set()
    for _, pod in pods():
        used |= {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            used |= {each["secretRef"]["name"] for each in container.get("envFrom", []) if "secretRef" in each}
            used |= {each["valueFrom"]["secretKeyRef"]["name"] for each in container.get("env", [])}
    assert used == SECRETS
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in SECRETS)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_our_services_know_every_name(name: str) -> None:
    """And the example starts with what it gives, but for the key that the operator has to write."""
    given = literals(name)
    assert set(given) <= {field.upper() for field in SETTINGS[name].model_fields}
    kind = SETTINGS[name]
    written = {key.lower(): value for key, value in given.items() if key != "MODEL_PUBLIC_KEYS"}
    kind(**written, session_signal_secret=SIGNAL_SECRET)  # type: ignore[arg-type] # its Secret has that


def test_who_looks_for_campaigns_reads_what_the_scorers_write() -> None:
    """Their settings and their secret, from the image that has the library, one at a time."""
    (container,) = deployment("riskgate-campaigns")["containers"]
    (scorer,) = deployment("riskgate-scorer")["containers"]
    assert container["envFrom"] == scorer["envFrom"]
    assert (container["image"], container["command"][0]) == ("riskgate-trainer", "risk-scorer")
    shell, option, probe = container["livenessProbe"]["exec"]["command"]
    assert (shell, option, watched_file(probe)) == ("sh", "-c", container["command"][-1])
    found = {each["metadata"]["name"]: each["spec"] for each in objects() if each["kind"] == "Deployment"}
    assert found["riskgate-campaigns"]["replicas"] == 1
    assert found["riskgate-campaigns"]["strategy"]["type"] == "Recreate"


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_probes_and_prometheus_ask_at_the_door(name: str) -> None:
    """Where it listens is where it is asked; no probe needs a preamble or a certificate."""
    (container,) = deployment(name)["containers"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    door = next(value for key, value in literals(name).items() if key.endswith("METRICS_LISTEN"))
    assert door == f"0.0.0.0:{ports['door']}"
    asked = [container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert [(each["path"], each["port"]) for each in asked] == [
        ("/live", "door"),
        ("/live", "door"),
        ("/ready", "door"),
    ]
    (service,) = [each for each in objects() if each["kind"] == "Service" and each["metadata"]["name"] == name]
    assert {port["name"]: str(port["port"]) for port in service["spec"]["ports"]} == ports
    (monitor,) = [each for each in objects() if each["kind"] == "ServiceMonitor" and each["metadata"]["name"] == name]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == "door"


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_what_is_under_way_ends_before_the_pod_does(name: str) -> None:
    """Balancers hear that it goes, then answers finish, and only then is anything killed."""
    (container,) = deployment(name)["containers"]
    probe = container["readinessProbe"]
    drain = next(float(value) for key, value in literals(name).items() if key.endswith("DRAIN_SECONDS"))
    assert drain >= probe["periodSeconds"] * probe["failureThreshold"] + 1
    assert deployment(name)["terminationGracePeriodSeconds"] >= drain + STOPPING_SECONDS


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=[name for name, _ in pods()])
def test_every_pod_can_do_little(name: str, pod: dict[str, Any]) -> None:
    """The profile `restricted` of Kubernetes' pod security standards, and no token of the cluster."""
    assert pod["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} == set(container["resources"])
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    policies = [each["spec"]["podSelector"]["matchLabels"] for each in objects() if each["kind"] == "NetworkPolicy"]
    assert {"app.kubernetes.io/name": name} in policies


def test_scorers_and_gateways_reach_each_other_where_a_signal_goes() -> None:
    """The address is the gateways' own, and both policies let it through."""
    url = urlsplit(literals("riskgate-scorer")["SESSION_SIGNAL_URL"])
    (service,) = [each for each in objects() if (each["kind"], each["metadata"]["name"]) == ("Service", url.hostname)]
    assert url.port in [port["port"] for port in service["spec"]["ports"]]
    assert url.path == SIGNAL_PATH
    policies = [each["spec"] for each in objects() if each["kind"] == "NetworkPolicy"]

    def reaches(way: str, peer: str, pod: str, other: str) -> bool:
        named = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": other}}}
        own = [each for each in policies if each["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": pod}]
        return any(named in rule[peer] for each in own for rule in each.get(way, []))

    assert reaches("egress", "to", "riskgate-scorer", "riskgate-gateway")
    assert reaches("ingress", "from", "riskgate-gateway", "riskgate-scorer")


def test_people_reach_the_console_by_the_ingress() -> None:
    """It signs them in at the gateway, and comes back to an address of its own, which the policies let through."""
    given = literals("riskgate-scorer")
    client = {"console_client_id": "console", "console_client_secret": "rgc_x"}  # its Secret has these
    settings = ScorerSettings(
        **{key.lower(): value for key, value in given.items() if key != "MODEL_PUBLIC_KEYS"},  # type: ignore[arg-type]
        **client,  # type: ignore[arg-type]
        session_signal_secret=SIGNAL_SECRET,  # type: ignore[arg-type]
    )
    assert settings.issuer_of_console == literals("riskgate-gateway")["JWT_ISSUER"]
    assert settings.public_url not in ("", settings.issuer_of_console)
    named = {"namespaceSelector": {"matchLabels": {"riskgate/ingress": "true"}}}
    policies = [each["spec"] for each in objects() if each["kind"] == "NetworkPolicy"]
    own = {"matchLabels": {"app.kubernetes.io/name": "riskgate-scorer"}}
    rules = [rule for each in policies if each["podSelector"] == own for rule in each.get("ingress", [])]
    assert any(named in rule["from"] and rule["ports"] == [{"port": "http"}] for rule in rules)


def test_keys_are_in_memory_alone() -> None:
    """A gateway's pod has its keys from a Secret, where the gateway looks for them, and never on a machine's disk."""
    pod = deployment("riskgate-gateway")
    (container,) = pod["containers"]
    (state,) = [mount for mount in container["volumeMounts"] if mount["name"] == "state"]
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "state"]
    assert volume["emptyDir"]["medium"] == "Memory"
    assert literals("riskgate-gateway")["AUTH_GATEWAY_STATE"] == f"{state['mountPath']}/gateway"
    (keys,) = pod["initContainers"]
    assert {mount["name"] for mount in keys["volumeMounts"]} == {"state", "vault"}
    assert "/state/gateway/" in keys["command"][-1]


def test_images_are_those_of_the_dockerfile() -> None:
    """Each target is one of them."""
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    images = {container["image"] for _, pod in pods() for container in pod["containers"]}
    assert images == {image["name"] for image in kustomizations()[EXAMPLE]["images"]}
    assert all(f" AS {image.removeprefix('riskgate-')}\n" in recipe for image in images)


if KUBECTL:

    def test_with_a_registry_the_trainer_writes_where_scorers_look(tmp_path: Path) -> None:
        """Login and session models come from the same place, and what is trained there is a command that there is."""
        assert KUBECTL is not None
        shutil.copytree(PLACE, tmp_path / "kubernetes")
        overlay = tmp_path / "kubernetes" / "overlays" / "example" / "kustomization.yaml"
        named = "  - ../../components/training\n"
        text = overlay.read_text(encoding="utf-8")
        overlay.write_text(text.replace(named, f"{named}  - ../../components/registry\n"), encoding="utf-8")
        done = subprocess.run([KUBECTL, "kustomize", str(overlay.parent)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found = list(YAML(typ="safe").load_all(done.stdout))
        (job,) = [each for each in found if each["kind"] == "CronJob"]
        command, *arguments = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
        given = dict(zip(arguments[::2], arguments[1::2], strict=True))
        assert set(given) <= set(options(command))
        (settings,) = [each["data"] for each in found if "MODEL_DIR" in each.get("data", {})]
        assert given["--registry"] == settings["MODEL_REGISTRY"] == settings["SESSION_MODEL_REGISTRY"]

    def test_the_example_renders(request: pytest.FixtureRequest) -> None:
        """Everything is in one namespace, and every name of settings leads to what was made."""
        assert KUBECTL is not None
        done = subprocess.run([KUBECTL, "kustomize", str(EXAMPLE)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        request.config.__dict__.setdefault("riskgate_engines", []).append("kustomize")
        found = list(YAML(typ="safe").load_all(done.stdout))
        assert {each["metadata"]["namespace"] for each in found} == {"riskgate"}
        made = {each["metadata"]["name"] for each in found if each["kind"] == "ConfigMap"}
        for each in found:
            if each["kind"] == "Deployment":
                (container,) = each["spec"]["template"]["spec"]["containers"]
                refs = [ref["configMapRef"]["name"] for ref in container["envFrom"] if "configMapRef" in ref]
                assert set(refs) < made
                assert container["image"].startswith("registry.example.com/")
