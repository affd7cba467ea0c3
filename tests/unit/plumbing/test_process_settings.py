"""Several processes need a database that several may serve from; both services say so alike."""

from collections.abc import Callable

import pytest

from auth_gateway.settings import Settings as GatewaySettings
from auth_gateway.settings import SettingsError
from auth_gateway.settings import load_settings as load_gateway
from plumbing.readiness import Parts, is_ready
from risk_scorer.settings import BadSettings
from risk_scorer.settings import Settings as ScorerSettings
from risk_scorer.settings import load_settings as load_scorer

SERVER = "postgresql://riskgate@db.example/riskgate"
Load = Callable[..., GatewaySettings | ScorerSettings]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*GatewaySettings.model_fields, *ScorerSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(("load", "name"), [(load_gateway, "auth_gateway"), (load_scorer, "risk_scorer")])
def test_several_workers_need_a_server(load: Load, name: str) -> None:
    """The complaint names the setting that is missing; one worker needs nothing."""
    with pytest.raises((SettingsError, BadSettings), match=f"--workers .*{name.upper()}_DATABASE"):
        load(**{f"{name}_workers": 2})
    load(**{f"{name}_workers": 1})
    load(**{f"{name}_workers": 64, f"{name}_database": SERVER})
    with pytest.raises((SettingsError, BadSettings), match=f"{name.upper()}_WORKERS"):
        load(**{f"{name}_workers": 65, f"{name}_database": SERVER})


def test_workers_share_the_cores_for_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they hash on as many threads as one process would; each has one at least."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    given = {"auth_gateway_database": SERVER}
    counts = [load_gateway(**given, auth_gateway_workers=workers).hashing_threads for workers in (1, 3, 8, 16)]
    assert counts == [8, 2, 1, 1]
    assert load_gateway(**given, auth_gateway_workers=4, password_workers=5).hashing_threads == 5


@pytest.mark.anyio
async def test_a_service_that_was_told_to_stop_is_not_ready() -> None:
    """Whatever its parts say: nobody new should be sent to it."""
    parts = Parts()
    assert is_ready(await parts.look())
    parts.stop()
    found = await parts.look()
    assert not is_ready(found)
    assert [(part.name, part.reason) for part in found] == [("service", "stopping")]
