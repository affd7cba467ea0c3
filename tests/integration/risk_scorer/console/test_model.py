"""The page of the model: a registry's versions with their gates, the report of one, and what is not believed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from risk_scorer.adapters.model_registry import evaluation_path
from tests.integration.risk_scorer.console.model_shelf import shelf
from tests.integration.risk_scorer.console.signing import by_link, code_of
from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_shadow import kept, until
from tests.unit.risk_scorer.core.stored_model import KEY
from training.publish import public_bytes

pytestmark = pytest.mark.anyio
PATH = "/dashboard/model"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="module")
def made(place: Path) -> tuple[Path, list[str]]:
    """The registry and its versions; each test leaves it as it was."""
    return shelf(place)


@pytest.fixture
async def service(made: tuple[Path, list[str]], tmp_path: Path) -> AsyncIterator[Running]:
    """It follows the registry, and has its public key alone."""
    (tmp_path / "registry.pub").write_bytes(public_bytes(KEY))
    changes = {"model_registry": str(made[0]), "model_public_keys": str(tmp_path / "registry.pub")}
    async with running(tmp_path, with_model=False, **changes) as found:
        del found.client.headers["authorization"]
        await by_link(found, "reader")
        yield found


async def test_every_version_is_told_with_its_state_and_gates(service: Running, made: Any) -> None:
    """Who let it decide and why; what to type where the key is; nothing here can sign."""
    html = (await service.client.get(PATH)).text
    for version, state in zip(made[1], ("retired", "active", "candidate"), strict=True):
        row = html.split(f'data-open href="{PATH}/{version}"')[1].split("</tr>")[0]
        assert f">{state}<" in row
    for part in ("not passed", "passed", "Better on November", f"back to {made[1][0]}", "private key"):
        assert part in html, part
    assert f"risk-training promote VERSION --registry {made[0]}" in html
    assert "<img" not in html
    assert "<form" not in html.split("<main")[1]


async def test_the_report_of_a_version_has_its_pictures_and_their_figures(service: Running, made: Any) -> None:
    """ROC, precision and recall, reliability, ablation, marks, groups: each picture beside its table."""
    html = (await service.client.get(f"{PATH}/{made[1][1]}")).text
    assert html.count('class="plot"') == 3
    assert html.count('class="series s1" points=') == 2
    for part in ("synthetic data", "62.0 %", "42.0 %", "new country", "-3.1", "not in the log", "95.0 %", "&lt;img"):
        assert part in html, part
    for part in ("budget step up", "upper bound", "0.20 %", "Attacks that happened."):
        assert part in html, part
    assert "<img" not in html
    refused = (await service.client.get(f"{PATH}/{made[1][2]}")).text
    assert "not passed" in refused
    assert "No evaluation is kept" in refused
    for name in ("nobody", "0" * 12, "%2e%2e"):
        answer = await service.client.get(f"{PATH}/{name}")
        assert (answer.status_code, code_of(answer)) == (404, "unknown_version")


async def test_what_nobody_signed_as_this_versions_is_not_believed(service: Running, made: Any) -> None:
    """An evaluation that was changed, or is another version's, is refused with its code, and its figures are not shown;
    a journal that was changed takes the list with it, and nothing else."""
    registry, versions = made
    file = registry / evaluation_path(versions[1])
    good = file.read_bytes()
    other = registry / evaluation_path(versions[0])
    entry = registry / "journal" / "000000000002.json"
    signed = entry.read_bytes()
    try:
        entry.write_bytes(json.dumps({**json.loads(signed), "reason": "x"}).encode())
        page = await service.client.get(PATH)
        assert (page.status_code, "registry_refused" in page.text, "decides" in page.text) == (200, True, True)
        answer = await service.client.get(f"{PATH}/{versions[1]}")
        assert (answer.status_code, code_of(answer)) == (502, "registry_refused")
        entry.write_bytes(signed)
        for path, content, code in (
            (file, good.replace(b"0.625", b"0.999"), "bad_signature"),
            (other, good, "wrong_version"),
            (file, b"{}", "bad_evaluation"),
        ):
            path.write_bytes(content)
            html = (await service.client.get(f"{PATH}/{path.stem}")).text
            assert f"<code>{code}</code>" in html
            assert "synthetic data" not in html
    finally:
        file.write_bytes(good)
        other.unlink(missing_ok=True)
        entry.write_bytes(signed)


async def test_without_a_registry_the_page_says_what_the_model_is_and_what_to_do(tmp_path: Path) -> None:
    """The version in use has its report, as far as it is known; without a model it says that nothing is scored."""
    async with running(tmp_path / "with") as service:
        await by_link(service, "reader")
        version = service.scorer.model_version()
        html = (await service.client.get(PATH)).text
        for part in ("follows no registry", str(tmp_path / "with" / "models"), "MODEL_REGISTRY", f"{PATH}/{version}"):
            assert part in html, part
        report = await service.client.get(f"{PATH}/{version}")
        assert (report.status_code, "No card" in report.text) == (200, True)
        assert (await service.client.get(f"{PATH}/{'0' * 12}")).status_code == 404
    (tmp_path / "without").mkdir()
    async with running(tmp_path / "without", with_model=False) as service:
        await by_link(service, "reader")
        html = (await service.client.get(PATH)).text
        assert "No model: nothing can be scored" in html
        assert ("model_missing" in html, "No model was found" in html, "is refused" in html) == (True, True, False)


async def test_what_a_shadow_would_decide_otherwise_is_counted_and_listed(tmp_path: Path) -> None:
    """Both levels in a table, and the logins that differ, each with the way to its page."""
    publish_model(tmp_path / "shadow", seed=2, rule="listed_network")
    async with running(tmp_path, model_shadow_dir=tmp_path / "shadow") as service:
        await until(lambda: service.scorer.shadowing.version)
        await service.client.post("/score", json={**EVENT, **LOUD, "event_id": "evt-loud", "user_id": "<b>al</b>"})
        await service.client.post("/score", json={**EVENT, "event_id": "evt-quiet"})
        await until(lambda: len(kept(service)) == 2)
        await by_link(service, "reader")
        html = (await service.client.get(PATH)).text
    for part in ("scored 2 logins", "What the shadow would decide", "/dashboard/sign-ins/evt-loud", "&lt;b&gt;al"):
        assert part in html, part
    assert "evt-quiet" not in html
    assert f"{PATH}/{service.scorer.shadowing.version}" in html
