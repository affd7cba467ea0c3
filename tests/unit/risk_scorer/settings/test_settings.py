"""What the scorer accepts as configuration, and that what it refuses is said in one line without the value."""

from pathlib import Path

import pytest

from risk_scorer.settings import BadSettings, Settings, load_settings

GOOD_SECRET = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
OTHER_SECRET = "whsec_ASNFZ4mrze8BI0VniavN7wEjRWeJq83v"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("RISK_SCORER_CONFIG", raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def complaint(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(BadSettings) as caught:
        load(monkeypatch, **environment)
    return str(caught.value)


def test_the_defaults_are_the_documented_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any configuration the names that users know have the values that the reference gives them."""
    settings = load(monkeypatch)
    assert settings.model_dir == Path("models")
    assert settings.recent_max == 500
    assert settings.kafka_broker is None
    assert settings.kafka_topic_in == "login-events"
    assert settings.webhook_url is None
    assert settings.webhook_risk_threshold == 80
    assert settings.mfa_hmac_secret is None
    assert settings.mfa_hmac_header == "X-Signature"
    assert settings.mfa_tenant == "default"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert not settings.is_demo


def test_the_environment_outranks_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file sets what the environment leaves open, under the same names in lower case."""
    config = tmp_path / "scorer.toml"
    config.write_text('recent_max = 7\nmfa_tenant = "from-file"\n')
    settings = load(monkeypatch, RISK_SCORER_CONFIG=str(config), RECENT_MAX="9")
    assert (settings.recent_max, settings.mfa_tenant) == (9, "from-file")


@pytest.mark.parametrize(
    ("content", "expected"),
    [("recent_maximum = 7\n", "RECENT_MAXIMUM: Extra inputs"), ("recent_max = [\n", "RISK_SCORER_CONFIG: ")],
)
def test_a_wrong_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, expected: str) -> None:
    """A misspelt name or broken TOML stops the start instead of being passed over."""
    config = tmp_path / "scorer.toml"
    config.write_text(content)
    text = complaint(monkeypatch, RISK_SCORER_CONFIG=str(config))
    assert text.startswith(expected)
    assert "\n" not in text


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that is configured and not there is a mistake, not an empty file."""
    assert "no such file" in complaint(monkeypatch, RISK_SCORER_CONFIG=str(tmp_path / "none.toml"))


def test_a_webhook_without_a_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announcements that nobody can verify are not sent."""
    assert "WEBHOOK_SECRET" in complaint(monkeypatch, WEBHOOK_URL="https://hooks.example.com/x")


@pytest.mark.parametrize("secret", ["supersecret", "local-dev-secret", "a" * 23, "a" * 64, "short-but-random-3f9c"])
def test_weak_secrets_are_refused_outside_the_demo(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Published, short and monotonous secrets stop the start, and the message does not repeat them."""
    text = complaint(monkeypatch, MFA_HMAC_SECRET=secret)
    assert text.startswith("MFA_HMAC_SECRET ")
    assert secret not in text


def test_the_demo_may_use_a_published_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample configuration of the reference starts in the demo profile."""
    settings = load(
        monkeypatch,
        RISK_SCORER_PROFILE="demo",
        MFA_WEBHOOK_URL="http://localhost:9000/trigger-mfa",
        MFA_HMAC_SECRET="supersecret",
    )
    assert settings.announce_url == "http://localhost:9000/trigger-mfa"
    assert settings.webhook_keys == [b"supersecret"]


@pytest.mark.parametrize("secret", ["not-base64-!!", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJ", "whsec_c2hvcnQ="])
def test_a_webhook_secret_has_its_own_form(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """A secret that receivers' libraries could not read alike is refused, in the demo too, without repeating it."""
    text = complaint(monkeypatch, WEBHOOK_SECRET=secret, RISK_SCORER_PROFILE="demo")
    assert "WEBHOOK_SECRET" in text
    assert secret not in text


def test_both_webhook_secrets_sign_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """While receivers change over, two secrets are active."""
    settings = load(monkeypatch, WEBHOOK_SECRET=GOOD_SECRET, WEBHOOK_SECRET_PREVIOUS=OTHER_SECRET)
    assert len(settings.webhook_keys) == 2
    assert settings.webhook_keys[0] != settings.webhook_keys[1]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "https://10.0.0.8/x", "http://hooks.example.com/x", "https://[::1]/x"]
)
def test_a_webhook_never_aims_inside(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Outside the demo only https to addresses outside is accepted."""
    assert "WEBHOOK_URL" in complaint(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET=GOOD_SECRET)


@pytest.mark.parametrize("url", ["ftp://a.example", "hooks", "https://user:secret-part@a.example/", "https://"])
def test_a_webhook_url_is_a_plain_http_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Other schemes, missing hosts and passwords in the URL are refused."""
    text = complaint(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET=GOOD_SECRET)
    assert "WEBHOOK_URL" in text
    assert "secret-part" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECENT_MAX", "0"),
        ("RECENT_MAX", "10001"),
        ("RECENT_MAX", "many"),
        ("WEBHOOK_RISK_THRESHOLD", "100.1"),
        ("WEBHOOK_RISK_THRESHOLD", "nan"),
        ("NARRATOR_DEADLINE_SECONDS", "0"),
        ("NARRATOR_DEADLINE_SECONDS", "121"),
        ("RISK_SCORER_PORT", "0"),
        ("RISK_SCORER_PORT", "65536"),
        ("MFA_HMAC_HEADER", "X-Sig\r\nX: y"),
        ("RISK_SCORER_PROFILE", "debug"),
    ],
)
def test_values_outside_their_range_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The message names the setting, so that nobody has to guess."""
    assert complaint(monkeypatch, **{name: value}).startswith(name)


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example.com/v1",
        "https://203.0.113.7/v1/",
        "http://127.0.0.1:11434/v1",
        "http://[::1]:8080/v1",
        "http://10.1.2.3/v1",
        "http://[fd00::7]/v1",
        "http://localhost:1234/v1",
        "http://ollama:11434/v1",
        "http://models.internal/v1",
    ],
)
def test_the_narrator_is_on_with_an_address_and_a_model(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Over TLS anywhere, in the clear only to a host that is not public by its form."""
    settings = load(monkeypatch, OPENAI_BASE_URL=url, OPENAI_MODEL="tiny")
    assert settings.has_narrator
    assert (settings.openai_api_key, settings.narrator_deadline_seconds) == (None, 10.0)


@pytest.mark.parametrize(
    "url",
    [
        "http://models.example.com/v1",
        "http://8.8.8.8/v1",
        "http://[2606:4700::1111]/v1",
        "http://127.0.0.1.example.com/v1",
        "https://models.example.com/v1?api-version=1",
        "https://models.example.com/v1#part",
        "ftp://models.example.com/v1",
        "https://me:secret-part@models.example.com/v1",
    ],
)
def test_facts_do_not_travel_in_the_clear(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Plain http to a public host stops the start, as does an address that is none or carries a password."""
    text = complaint(monkeypatch, OPENAI_BASE_URL=url, OPENAI_MODEL="tiny")
    assert "OPENAI_BASE_URL" in text
    assert "example.com" not in text
    assert "secret-part" not in text


@pytest.mark.parametrize("given", [{}, {"OPENAI_BASE_URL": "https://models.example.com/v1"}, {"OPENAI_MODEL": "tiny"}])
def test_a_key_alone_turns_no_narrator_on(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    """Many machines have a key in their environment; nothing is sent until address and model are named."""
    assert not load(monkeypatch, OPENAI_API_KEY="sk-0123456789", **given).has_narrator


@pytest.mark.parametrize("key", ["two words", "sk-é", "sk-\nX: y"])
def test_a_key_that_no_header_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """The message names the setting and does not repeat the key."""
    text = complaint(monkeypatch, OPENAI_API_KEY=key)
    assert text.startswith("OPENAI_API_KEY: must be printable")
    assert key not in text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - nothing is bound here
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_public_url_is_one_that_opens(monkeypatch: pytest.MonkeyPatch, host: str, expected: str) -> None:
    """Links that are printed lead somewhere, also when we listen everywhere."""
    assert load(monkeypatch, RISK_SCORER_HOST=host).public_url == expected
