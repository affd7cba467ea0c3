"""The grammar of the policy document: what is read, and what is refused at which line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import LARGEST_DOCUMENT, MOST_RULES, BadDocument, parse

NAMES = """
[networks]
office = ["203.0.113.0/24", "2001:db8::/32"]
[groups]
admins = ["Ada", "grace"]
[roles]
root = ["@admins", "zoe"]
"""


def problems(text: str | bytes, policy: Policy = Policy()) -> list[tuple[int, str]]:  # noqa: B008 -- frozen
    data = text if isinstance(text, bytes) else text.encode()
    try:
        parse(data, policy)
    except BadDocument as bad:
        return [(problem.line, problem.message) for problem in bad.problems]
    return []


def one(body: str, policy: Policy = Policy()) -> list[str]:  # noqa: B008 -- frozen
    """What is said of a rule with this body, its name left to us."""
    return [message for _, message in problems(f'{NAMES}[[rule]]\nname = "r"\n{body}', policy)]


def test_rules_are_read_in_their_order_with_their_lines() -> None:
    """Each knows what it asks, what it answers and which requests it is for."""
    document = parse(
        f"""{NAMES}
[[rule]]
name = "office"
when = {{ network = "office", login_risk = "medium" }}
then = "allow"

[[rule]]
name = "admins"
when = {{ group = ["admins"], role = "root" }}
unless = {{ network = "office" }}
then = "challenge"
demand = "phishing_resistant"
report_only = true
""".encode(),
        Policy(),
    )
    office, admins = document.rules
    assert (office.line, office.paths, office.called) == (9, ("login",), "document:office")
    assert (admins.line, admins.report_only, admins.demand) == (14, True, "phishing_resistant")
    assert admins.when.usernames == (frozenset({"ada", "grace"}), frozenset({"ada", "grace", "zoe"}))
    assert admins.asks == "when group=admins role=root unless network=office"
    assert document.names_people
    assert [ready.rule for ready in document.login] == [office, admins]
    assert [ready.rule for ready in document.refresh] == [ready.rule for ready in document.step_up] == [admins]


def test_no_rules_are_a_document_too() -> None:
    """An empty file changes nothing; its digest still names it."""
    document = parse(b"", Policy())
    assert (document.rules, document.names_people) == ((), False)
    assert document.digest != ""


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ('then = "deny"', ("login", "refresh", "step_up")),
        ('then = "challenge"', ("login", "refresh", "step_up")),
        ('when = { login_risk = "low" }\nthen = "allow"', ("login",)),
        ('when = { login_risk = "low" }\nthen = "deny"', ("login", "refresh", "step_up")),
        ('when = { session_risk = "medium" }\nthen = "allow"', ("refresh", "step_up")),
        ('when = { session_risk = "medium" }\nthen = "deny"', ("refresh", "step_up")),
        ('when = { factor = "totp" }\nthen = "deny"', ("login",)),
        ('when = { shown = "totp" }\nthen = "deny"', ("login", "step_up")),
        ('unless = { factor = "passkey" }\nthen = "deny"', ("login",)),
        ('unless = { shown = "passkey" }\nthen = "deny"', ("login", "step_up")),
        ('unless = { session_risk = "low" }\nthen = "deny"', ("refresh", "step_up")),
        ('when = { path = ["step_up", "login"] }\nthen = "deny"', ("login", "step_up")),
    ],
)
def test_a_rule_is_for_the_requests_that_can_have_what_it_asks(body: str, paths: tuple[str, ...]) -> None:
    """Unless it says which."""
    document = parse(f'[[rule]]\nname = "r"\n{body}'.encode(), Policy())
    assert document.rules[0].paths == paths


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a = ", 1, "not TOML"),
        ("\n\nx = 1\n]", 4, "not TOML"),
        ('x = """', 1, "not TOML"),
        (b"# ok\n# \xff", 2, "not UTF-8"),
        (b"\xef\xbb\xbf", 1, "not TOML"),
        ("x = " + "9" * 5000, 1, "too long"),
        ("x = " + "[" * 5000, 1, "nested too deeply"),
        (b"#" * (LARGEST_DOCUMENT + 1), 1, "larger than"),
        ("\nrules = 1", 2, "unknown key 'rules'"),
        ("\nrule = 1", 2, "two brackets"),
        ("[rule]\nname = 'x'", 1, "two brackets"),
        ("rule = [1]", 1, "must be a table"),
        ("\nnetworks = 1", 2, "must be a table"),
        ("[networks]\n\noffice = 1", 3, "must be a text or an array"),
        ("[networks]\noffice = [\n'10.0.0.0/8',\n'10.0.0.1/8']", 4, "without host bits"),
        ("[networks]\noffice = '::ffff:10.0.0.0/104'", 2, "write it as IPv4"),
        ("[networks]\noffice = []", 2, "never so"),
        ("[groups]\na = ['a b']", 2, "nobody can be called"),
        ("[roles]\na = ['@nix']", 2, "no group 'nix'"),
        ("[groups]\na = ['@a']\n[roles]\nb = '@a'", 0, ""),
        ("[[rule]]\nthen = 'deny'", 1, "has no name"),
        ("[[rule]]\nname = 'r'", 1, "has no then"),
        ("[[rule]]\nname = 'a b'\nthen = 'deny'", 2, "1 to 64 letters"),
        ("[[rule]]\nname = 'r'\nthen = 'deny'\n[[rule]]\nname = 'r'\nthen = 'deny'", 5, "called 'r' already"),
        ("[[rule]]\nname = 'r'\nthen = 'block'", 3, "is not allow, challenge or deny"),
        ("[[rule]]\nname = 'r'\nthen = 'deny'\nreport_only = 1", 4, "is not true or false"),
        ("[[rule]]\nname = 'r'\nthen = 'deny'\nextra = 1", 4, "unknown key 'extra'"),
        ("[[rule]]\nname = 'r'\nthen = 'deny'\nwhen = 'x'", 4, "must be a table"),
        ("[[rule]]\nname = 'r'\nthen = 'deny'\n[rule.when]\nclient = [\n'a',\n1]", 7, "must be a text"),
        ("[[rule]]\nname = 'r'\nwhen = 0x" + "f" * 6000 + "\nthen = 'deny'", 3, "a very long number"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str | bytes, line: int, words: str) -> None:
    """Both of the file's form and of its meaning. `@a` in a group is a name like any other."""
    found = problems(text)
    assert any(where == line and words in message for where, message in found) or (not words and not found), found


@pytest.mark.parametrize(
    ("path", "unless", "words"),
    [
        ("refresh", "factor = 'passkey'", "factor is for path login"),
        ("refresh", "shown = 'passkey'", "nothing is shown"),
        ("login", "session_risk = 'low'", "nobody comes back"),
    ],
)
def test_what_takes_nobody_out_is_refused(path: str, unless: str, words: str) -> None:
    """An exception that is known nowhere on the rule's path would never be one: everybody would be denied."""
    found = one(f"when.path = '{path}'\nunless = {{ {unless} }}\nthen = 'deny'")
    assert any(words in message for message in found), found


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (">= 10, >= 5, < 60", (10, False), (60, True)),
        ("> 10, >= 10", (10, True), (100, False)),
        (">= 10, > 10", (10, True), (100, False)),
        ("<= 60, < 60, <= 70", (0, False), (60, True)),
        ("< 60, <= 60", (0, False), (60, True)),
    ],
)
def test_numbers_meet_all_comparisons(text: str, least: tuple[float, bool], most: tuple[float, bool]) -> None:
    """The narrowest counts, in whatever order they are written: an allow is never wider than any of them."""
    body = f"[[rule]]\nname = 'r'\nwhen.login_risk = '{text}'\nthen = 'deny'"
    risk = parse(body.encode(), Policy()).rules[0].when.login_risk
    assert risk is not None
    assert [(span.least, span.is_open_below) for span in risk.spans] == [least]
    assert [(span.most, span.is_open_above) for span in risk.spans] == [most]


def test_a_key_of_thousands_of_parts_is_refused_at_once() -> None:
    """However it is written: reading one takes time that grows with the cube of its length."""
    for part in ("a", '"a b"', "'a'"):
        for key in (" . ".join([part] * 50_000) + " = 1", f"[{'.'.join([part] * 50_000)}]"):
            assert problems(f"[groups]\na = ['x']\n{key}") == [(3, "a key has too many parts")]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("network = 'nix'", "is not defined under [networks]"),
        ("group = 'nix'", "is not defined under [groups]"),
        ("role = 'admins'", "is not defined under [roles]"),
        ("country = 'de'", "two capital letters"),
        ("factor = 'sms'", "recovery_code, email_code or none"),
        ("shown = 'none'", "is not phishing_resistant, passkey"),
        ("client = ''", "is not a client id"),
        ("reasons = 'New Device'", "a code such as"),
        ("login_risk = 'extreme'", "is not low, medium, high or unscored"),
        ("login_risk = '> 100.5'", "nor numbers"),
        ("login_risk = '>= 70, < 70'", "nor numbers"),
        ("login_risk = '70'", "nor numbers"),
        ("user_risk = 'unscored'", "is not none, low, medium or high"),
        ("path = 'recovery'", "is not login, refresh or step_up"),
        ("colour = 'red'", "unknown key 'colour'"),
        ("session_risk = 'low', path = 'login'", "nobody comes back"),
        ("shown = 'totp', path = 'refresh'", "nothing is shown"),
        ("factor = 'totp', path = ['login', 'step_up']", "factor is for path login"),
        ("country = []", "an empty array is never so"),
        ("login_risk = '>= 70, >= 10, < 60'", "nor numbers"),
    ],
)
def test_a_condition_that_nothing_meets_is_refused(when: str, words: str) -> None:
    """A misspelt rule would be one that somebody believes in and nobody applies."""
    found = one(f"when = {{ {when} }}\nthen = 'deny'")
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("when", "is_refused"),
    [
        ("client = 'web'", True),
        ("login_risk = 'low'", False),
        ("login_risk = ['low', 'medium']", False),
        ("login_risk = '< 80'", False),
        ("login_risk = '<= 80'", True),
        ("login_risk = '>= 70'", True),
        ("login_risk = ['low', 'high']", True),
        ("login_risk = 'unscored'", True),
        ("login_risk = 'high', shown = 'phishing_resistant'", False),
        ("login_risk = 'unscored', shown = 'passkey'", False),
        ("login_risk = 'high', shown = ['passkey', 'totp']", True),
        ("login_risk = 'low', path = ['login', 'refresh']", True),
        ("login_risk = 'low', session_risk = 'low'", False),
        ("login_risk = 'low', session_risk = 'high'", True),
        ("session_risk = 'medium', path = 'step_up'", False),
        ("session_risk = 'high', path = 'step_up', shown = 'passkey'", False),
    ],
)
def test_an_allow_names_a_risk_that_may_be_allowed(when: str, is_refused: bool) -> None:
    """For each kind of request the one it is judged by; high and unscored only where a passkey was shown."""
    assert bool(one(f"when = {{ {when} }}\nthen = 'allow'")) is is_refused


def test_an_allow_does_not_say_where_it_does_not_hold() -> None:
    """A country that nobody knows is not one of those that are left out, and still not safe."""
    assert "what is not known" in one("when.login_risk = 'low'\nunless.country = 'RU'\nthen = 'allow'")[0]


@pytest.mark.parametrize(
    ("when", "demand", "high_deny", "is_refused"),
    [
        ("login_risk = 'high'", "phishing_resistant", True, True),
        ("login_risk = 'high'", "phishing_resistant", False, False),
        ("login_risk = 'high'", "enrolled", False, True),
        ("session_risk = 'high'", "any", False, True),
        ("login_risk = 'high', path = 'refresh'", "any", True, False),
        ("login_risk = '>= 50'", "any", True, False),
        ("client = 'web'", "any", True, False),
    ],
)
def test_a_challenge_that_names_a_high_risk_is_no_milder_than_the_table(
    when: str, demand: str, high_deny: bool, is_refused: bool
) -> None:
    """One that merely takes it in stays: there the stricter of the two answers counts."""
    found = one(f"when = {{ {when} }}\nthen = 'challenge'\ndemand = '{demand}'", Policy(high_deny=high_deny))
    assert bool(found) is is_refused


def test_a_demand_belongs_to_a_challenge() -> None:
    """A denial takes no factor."""
    assert "does not challenge" in one("then = 'deny'\ndemand = 'any'")[0]


def test_there_are_not_more_rules_than_anybody_reads() -> None:
    """And as many as that are read."""
    rules = "".join(f"[[rule]]\nname = 'r{number}'\nthen = 'deny'\n" for number in range(MOST_RULES + 1))
    assert problems(rules) == [(3 * MOST_RULES + 1, f"there are more than {MOST_RULES} rules")]
    assert problems(rules.replace(f"[[rule]]\nname = 'r{MOST_RULES}'\nthen = 'deny'\n", "")) == []


def test_the_documentations_example_is_good(root: Path) -> None:
    """To the letter, and each of its rules says something."""
    text = (root / "docs" / "policy.md").read_text(encoding="utf-8")
    example = text.split("```toml\n", 1)[1].split("```", 1)[0]
    document = parse(example.encode(), Policy())
    assert len(document.rules) == example.count("[[rule]]")
    assert all(rule.asks != "always" for rule in document.rules)


WORDS = st.sampled_from(
    [
        "[[rule]]\n", "[rule.when]\n", "[networks]\n", "[groups]\n", "name = 'r'\n", "name = 'q'\n", "then = 'allow'\n",
        "then = 'deny'\n", "then = 'challenge'\n", "demand = 'any'\n", "demand = 3\n", "report_only = true\n",
        "when = { login_risk = '>= 70', path = ['login'] }\n", "when = { client = 'a', group = 'g' }\n",
        "when = {}\n", "unless = { country = 'DE' }\n", "g = ['ada']\n", "office = '10.0.0.0/8'\n",
        "when.shown = ['x', 1.5]\n",
        "login_risk = [", "]\n", "{", "}\n", "'", '"', "\\u0000", "\x00", "=", ".", "1e999", "nan", "é\n", "# x\n",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=25).map("".join).map(str.encode))
@example(b"[[rule]]\nname = 0x" + b"f" * 6000)
@example(b"[[rule]]\nname = 'r'\nthen = 'deny'\nwhen.client = 0x" + b"f" * 6000)
def test_texts_that_look_like_documents_are_read_or_refused(data: bytes) -> None:
    """Never anything else: each problem has a line of the text."""
    _is_read_or_refused(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """A text that is no document says so."""
    _is_read_or_refused(data)


def _is_read_or_refused(data: bytes) -> None:
    found = problems(data)
    assert all(1 <= line <= data.count(b"\n") + 1 and message for line, message in found)
    if not found:
        assert len(parse(data, Policy()).rules) == len(tomllib.loads(data.decode()).get("rule", []))
