"""What an operator may set, and what the gateway refuses to start with."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from auth_gateway.settings import Settings, SettingsError, load_settings

STRONG = "kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
WEBHOOK = "whsec_Jk3Vt0Zq9s1xYb7cD2eF4gH6iK8lM0nP"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def problem(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(monkeypatch, **environment)
    return str(error.value)


def test_the_defaults_are_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing need be set, and no secret has a default."""
    settings = load(monkeypatch)
    assert (settings.risk_api_url, settings.jwt_issuer, settings.jwt_audience) == (
        "http://localhost:8000",
        "iam-ai-sample",
        "iam-clients",
    )
    assert (settings.access_ttl_min, settings.refresh_ttl_days) == (15, 7)
    assert settings.login_policy_high_deny
    assert settings.login_policy_medium_requires_mfa
    assert (settings.mfa_hmac_header, settings.mfa_tenant) == ("X-Signature", "default")
    assert settings.webhook_risk_threshold == 80
    assert (settings.jwt_secret, settings.mfa_hmac_secret, settings.webhook_secret) == (None, None, None)
    assert not settings.is_demo


def test_mfa_events_go_to_the_common_address_unless_they_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """MFA_WEBHOOK_URL defaults to WEBHOOK_URL."""
    common = {"WEBHOOK_URL": "https://siem.example/in", "WEBHOOK_SECRET": WEBHOOK}
    assert load(monkeypatch, **common).mfa_target == "https://siem.example/in"
    assert load(monkeypatch, **common, MFA_WEBHOOK_URL="https://mfa.example/in").mfa_target == "https://mfa.example/in"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass on variables that nobody filled in."""
    settings = load(monkeypatch, JWT_SECRET="", WEBHOOK_URL="", ACCESS_TTL_MIN="", TRUSTED_PROXIES="")
    assert (settings.jwt_secret, settings.webhook_url, settings.access_ttl_min) == (None, None, 15)
    assert settings.trusted_proxies == ()


def test_trusted_proxies_are_networks_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single address is a network of one."""
    settings = load(monkeypatch, TRUSTED_PROXIES="10.0.0.0/8, 127.0.0.1,fd00::/8")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"), ip_network("fd00::/8"))


def test_the_password_line_is_four_a_worker_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest wait then stays under a second."""
    assert load(monkeypatch, PASSWORD_WORKERS="3").password_queue_limit == 12
    assert load(monkeypatch, PASSWORD_WORKERS="3", PASSWORD_QUEUE="0").password_queue_limit == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_TTL_MIN", "soon"),
        ("ACCESS_TTL_MIN", "0"),
        ("ACCESS_TTL_MIN", "-5"),
        ("REFRESH_TTL_DAYS", "366"),
        ("WEBHOOK_RISK_THRESHOLD", "101"),
        ("WEBHOOK_RISK_THRESHOLD", "nan"),
        ("LOGIN_POLICY_HIGH_DENY", "perhaps"),
        ("RISK_API_URL", "localhost:8000"),
        ("RISK_API_URL", "ftp://scorer"),
        ("RISK_API_URL", "http://"),
        ("RISK_API_URL", "http://user:pw@scorer"),
        ("RISK_API_URL", "http://scorer/?x=1"),
        ("RISK_API_URL", "http://scorer:99999"),
        ("TRUSTED_PROXIES", "everyone"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("MFA_HMAC_HEADER", "X Signature"),
        ("MFA_HMAC_HEADER", "X-Sig\r\nSet-Cookie"),
        ("AUTH_GATEWAY_PROFILE", "staging"),
        ("AUTH_GATEWAY_PORT", "70000"),
        ("PASSWORD_WORKERS", "0"),
        ("SCORER_DEADLINE_MS", "1"),
        ("JWT_ISSUER", "x" * 257),
        ("JWT_ISSUER", "https://id.example/"),
        ("JWT_ISSUER", "https://id.example?tenant=1"),
        ("JWT_ISSUER", "https://user:pw@id.example"),
        ("JWT_ISSUER", "https://"),
        ("JWT_ISSUER", "https://id.example/a b"),
        ("BROWSER_SESSION_HOURS", "0"),
        ("BROWSER_SESSION_HOURS", "721"),
    ],
)
def test_a_value_out_of_range_is_one_line_that_names_the_setting(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator reads which one, and no value is repeated."""
    text = problem(monkeypatch, **{name: value})
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    assert "pw@" not in text


@pytest.mark.parametrize("secret", ["local-dev-secret", "supersecret", "x" * 31, "x" * 64, "abcd" * 16])
def test_a_weak_jwt_secret_is_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known, short or made of a few letters; the text does not show it."""
    text = problem(monkeypatch, JWT_SECRET=secret)
    assert text.startswith("JWT_SECRET ")
    assert secret not in text


def test_a_long_known_example_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is long enough, and in every scanner's list."""
    assert "JWT_SECRET" in problem(monkeypatch, JWT_SECRET="a-string-secret-at-least-256-bits-long")


def test_a_strong_jwt_secret_means_hs256(monkeypatch: pytest.MonkeyPatch) -> None:
    """32 bytes are enough."""
    assert load(monkeypatch, JWT_SECRET=STRONG).hs256_secret == STRONG.encode()


def test_the_demo_passes_over_a_weak_jwt_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are then signed by our own keys, not by the known secret."""
    settings = load(monkeypatch, AUTH_GATEWAY_PROFILE="demo", JWT_SECRET="local-dev-secret")
    assert settings.hs256_secret is None


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("MFA_HMAC_SECRET", "supersecret"),
        ("WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("WEBHOOK_SECRET_PREVIOUS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("SESSION_SIGNAL_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ],
)
def test_a_published_webhook_secret_is_for_the_demo_alone(
    name: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference's `supersecret` works there and nowhere else."""
    assert name in problem(monkeypatch, **{name: secret})
    assert load(monkeypatch, **{name: secret}, AUTH_GATEWAY_PROFILE="demo").is_demo


@pytest.mark.parametrize("secret", ["whsec_!!", "whsec_c2hvcnQ=", "kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"])
def test_a_webhook_secret_has_the_standard_form(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers' libraries take no other."""
    text = problem(monkeypatch, WEBHOOK_SECRET=secret, AUTH_GATEWAY_PROFILE="demo")
    assert text.startswith("WEBHOOK_SECRET: ")
    assert secret not in text


def test_the_scorers_word_has_no_secret_that_nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """None means that nobody is believed; the one before belongs to another, and both are of the standard form."""
    assert load(monkeypatch).session_signal_keys == []
    before = "whsec_" + "kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
    assert "SESSION_SIGNAL_SECRET" in problem(monkeypatch, SESSION_SIGNAL_SECRET_PREVIOUS=before)
    assert "SESSION_SIGNAL_SECRET" in problem(monkeypatch, SESSION_SIGNAL_SECRET="kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL")


def test_two_secrets_sign_at_a_time_and_the_mfa_secret_stands_in_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a receiver may change over in its own time, and an old receiver needs one secret only."""
    assert load(monkeypatch, MFA_HMAC_SECRET=STRONG).webhook_keys == [STRONG.encode()]
    both = load(monkeypatch, WEBHOOK_SECRET=WEBHOOK, WEBHOOK_SECRET_PREVIOUS=WEBHOOK[:-4] + "wxyz")
    assert len(both.webhook_keys) == 2


@pytest.mark.parametrize("url", ["http://siem.example/in", "https://127.0.0.1/in", "https://10.1.2.3/in"])
def test_a_webhook_goes_outside_but_in_the_demo(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere a webhook must not reach into our own network, nor cross another one in the clear."""
    assert "WEBHOOK_URL is no place" in problem(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET=WEBHOOK)
    assert load(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET=WEBHOOK, AUTH_GATEWAY_PROFILE="demo").webhook_url == url


@pytest.mark.parametrize(
    ("issuer", "public_url", "is_https"),
    [
        ("iam-ai-sample", "http://127.0.0.1:9000", False),
        ("http://localhost:9000", "http://localhost:9000", False),
        ("https://id.example", "https://id.example", True),
    ],
)
def test_the_issuer_says_where_people_come_in(
    issuer: str, public_url: str, is_https: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookies are bound to https when it is an https address."""
    settings = load(monkeypatch, JWT_ISSUER=issuer)
    assert (settings.public_url, settings.is_https) == (public_url, is_https)


@pytest.mark.parametrize("issuer", ["http://id.example", "http://10.0.0.1:9000", "http://localhost.example"])
def test_an_issuer_without_https_stays_on_this_machine(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """People's passwords would cross the network in the clear; the demo may."""
    assert "JWT_ISSUER must be an https address" in problem(monkeypatch, JWT_ISSUER=issuer)
    assert load(monkeypatch, JWT_ISSUER=issuer, AUTH_GATEWAY_PROFILE="demo").provider_issuer == issuer


@pytest.mark.parametrize("issuer", ["http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"])
def test_this_machine_needs_no_https(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no network to listen on."""
    assert load(monkeypatch, JWT_ISSUER=issuer).provider_issuer == issuer


def test_what_the_command_line_gives_outranks_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve --port` means that port."""
    monkeypatch.setenv("AUTH_GATEWAY_PORT", "9100")
    assert load_settings(auth_gateway_port=9200).auth_gateway_port == 9200


@pytest.mark.parametrize("profile", ["demo", "production"])
@pytest.mark.parametrize("name", ["WEBHOOK_URL", "MFA_WEBHOOK_URL"])
def test_an_unsigned_webhook_is_refused(name: str, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even in the demo: a receiver that cannot verify learns to believe anybody."""
    text = problem(monkeypatch, **{name: "https://siem.example/in"}, AUTH_GATEWAY_PROFILE=profile)
    assert "WEBHOOK_SECRET" in text


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys are the environment names in small letters."""
    file = tmp_path / "gateway.toml"
    file.write_text('jwt_issuer = "https://id.example"\naccess_ttl_min = 5\ntrusted_proxies = "10.0.0.0/8"\n')
    settings = load(monkeypatch, AUTH_GATEWAY_CONFIG=str(file), ACCESS_TTL_MIN="7")
    assert (settings.jwt_issuer, settings.access_ttl_min) == ("https://id.example", 7)
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"acess_ttl_min = 5\n", "acess_ttl_min"), (b"= 5", "not TOML"), (b"\xff\xfe", "not TOML"), (b"\0", "not TOML")],
)
def test_a_file_that_is_not_understood_is_refused(
    content: bytes, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A misspelt key would be a policy that nobody applies."""
    file = tmp_path / "gateway.toml"
    file.write_bytes(content)
    text = problem(monkeypatch, AUTH_GATEWAY_CONFIG=str(file))
    assert says in text
    assert "\n" not in text


def test_a_missing_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The operator meant it to be there."""
    assert "cannot be read" in problem(monkeypatch, AUTH_GATEWAY_CONFIG=str(tmp_path / "none.toml"))


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings end up in logs."""
    assert STRONG not in repr(load(monkeypatch, JWT_SECRET=STRONG, RISK_API_CREDENTIAL=STRONG))
