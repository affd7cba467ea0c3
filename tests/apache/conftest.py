"""Debian's Apache with mod_auth_openidc as a relying party on a free port, and the provider that it trusts."""

import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.apache.browser import Browser
from tests.ports import free_port
from tests.running_provider import RunningProvider, running_provider

HTTPD = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
PAGE = """<p>user: <!--#echo var="REMOTE_USER" --></p><p>email: <!--#echo var="OIDC_CLAIM_email" --></p>
<p>acr: <!--#echo var="OIDC_CLAIM_acr" --></p><p>iss: <!--#echo var="OIDC_CLAIM_iss" --></p>"""
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Application:
    """The Apache that is up."""

    url: str
    place: Path

    @property
    def callback(self) -> str:
        return f"{self.url}/private/callback"

    def errors(self) -> str:
        return (self.place / "error.log").read_text()


@contextmanager
def running_apache(provider: RunningProvider, alg: str) -> Iterator[Application]:
    """Up until the block ends. Its folder lies outside of pytest's, which Apache's own user may not enter."""
    port = free_port()
    url = f"http://localhost:{port}"
    client = provider.client(
        f"apache-{alg.lower()}",
        client_name="Apache",
        redirect_uris=(f"{url}/private/callback",),
        post_logout_redirect_uris=(f"{url}/goodbye",),
        backchannel_logout_uri=f"http://127.0.0.1:{port}/private/callback?logout=backchannel",
        id_token_signed_response_alg=alg,
    )
    with tempfile.TemporaryDirectory(prefix="riskgate-apache-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        _write(place, port=port, provider=provider, client=client, alg=alg)
        process = subprocess.Popen([HTTPD, "-f", str(place / "httpd.conf"), "-DFOREGROUND"])
        try:
            _wait(process, f"{url}/goodbye", place)
            yield Application(url, place)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _write(place: Path, *, port: int, provider: RunningProvider, client: dict[str, str], alg: str) -> None:
    for name in ("private", "strong", "goodbye"):
        page = place / "pages" / name
        page.parent.mkdir(exist_ok=True)
        page.write_text("<p>Signed out.</p>" if name == "goodbye" else PAGE)
    is_root = os.geteuid() == 0
    values = {
        "PORT": str(port),
        "PLACE": str(place),
        "MODULES": str(MODULES),
        "USER": "www-data" if is_root else f"#{os.geteuid()}",
        "GROUP": "www-data" if is_root else f"#{os.getegid()}",
        "ISSUER": provider.issuer,
        "CLIENT_ID": client["id"],
        "CLIENT_SECRET": client["secret"],
        "PASSPHRASE": secrets.token_hex(16),
        "ALG": alg,
    }
    text = Path(__file__).with_name("httpd.conf").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (place / "httpd.conf").write_text(text)


def _wait(process: subprocess.Popen[bytes], url: str, place: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(url, trust_env=False).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.05)
    log = place / "error.log"
    raise AssertionError(f"Apache did not start: {log.read_text() if log.exists() else 'no log'}")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    """One running provider for all tests of this folder."""
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module", params=["ES256", "RS256"])
def apache(provider: RunningProvider, request: pytest.FixtureRequest) -> Iterator[Application]:
    """The application, with ID tokens in each algorithm in turn."""
    version = subprocess.run([HTTPD, "-v"], capture_output=True, text=True, check=True).stdout.split()[2]
    engines = request.config.__dict__.setdefault("riskgate_engines", [])
    if version not in engines:
        engines.append(version)
    with running_apache(provider, request.param) as application:
        yield application


@pytest.fixture
def browser(provider: RunningProvider) -> Iterator[Browser]:
    """A browser of somebody new."""
    found = Browser(provider.person())
    yield found
    found.close()
