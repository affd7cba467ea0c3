"""What each format's reader makes of good, odd and hostile records: a person or a stable reason, never an exception."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_gateway.adapters.imports import auth0, csv, documents, keycloak, own
from auth_gateway.core.imported import BadFile, Record
from tests.stories.gateway import exports

Reader = Callable[[BinaryIO], Iterator[Record]]
# Always the same one: it stands in the names of tests, which several processes must know alike.
HASH = "$2b$04$" + "a" * 21 + "u" + "b" * 30 + "u"
GOOD = exports.keycloak_pbkdf2("pbkdf2-sha256", "sha256", 32)
DEEP = b"[" * 100_000 + b"]" * 100_000


def read(reader: Reader, content: bytes) -> list[Record]:
    return list(reader(io.BytesIO(content)))


def reasons(reader: Reader, content: bytes) -> list[tuple[str, str | None]]:
    return [(record.place, record.reason) for record in read(reader, content)]


def keycloak_reason(*credentials: dict[str, Any], **more: Any) -> str | None:
    (record,) = read(keycloak.records, exports.keycloak_realm(exports.keycloak_user("ada", *credentials, **more)))
    return record.reason


def auth0_reason(custom: dict[str, Any], **more: Any) -> str | None:
    (record,) = read(auth0.records, exports.ndjson(exports.auth0_custom("ada", custom, **more)))
    return record.reason


def pbkdf2(iterations: Any, **more: Any) -> dict[str, Any]:
    credential = dict(GOOD)
    data = json.loads(credential["credentialData"]) | {"hashIterations": iterations} | more
    return credential | {"credentialData": json.dumps(data)}


def secret(**more: Any) -> dict[str, Any]:
    return dict(GOOD) | {"secretData": json.dumps(json.loads(GOOD["secretData"]) | more)}


@pytest.mark.parametrize(
    ("credential", "reason"),
    [
        (pbkdf2(10**9), "hash_cost_out_of_bounds"),
        (pbkdf2(10**30), "hash_cost_out_of_bounds"),
        (pbkdf2(int("9" * 4000)), "hash_cost_out_of_bounds"),
        (pbkdf2(3_000_001), "hash_cost_out_of_bounds"),
        (pbkdf2(3_000_000), None),
        (pbkdf2(1), None),
        (pbkdf2(0), "hash_cost_out_of_bounds"),
        (pbkdf2(-1), "hash_cost_out_of_bounds"),
        (pbkdf2("1000"), "wrong_shape"),
        (pbkdf2(1.5), "wrong_shape"),
        (pbkdf2(1000, algorithm="pbkdf2-sha999"), "unknown_hash_scheme"),
        (pbkdf2(1000, algorithm="pbkdf2-sha512"), "malformed_hash"),
        (pbkdf2(1000, algorithm="argon2"), "malformed_hash"),
        (secret(value=""), "malformed_hash"),
        (secret(value="AAAA"), "malformed_hash"),
        (secret(value="not base64!"), "malformed_hash"),
        (secret(value="é" * 44), "malformed_hash"),
        (secret(value="A" * 100_000), "malformed_hash"),
        (secret(salt=""), "malformed_hash"),
        (secret(salt=None), "malformed_hash"),
        (secret(salt="A" * 700), "malformed_hash"),
        (secret(value=1), "wrong_shape"),
        (dict(GOOD) | {"secretData": "{"}, "not_json"),
        (dict(GOOD) | {"secretData": None}, "wrong_shape"),
        (dict(GOOD) | {"credentialData": DEEP.decode()}, "wrong_shape"),
        (dict(GOOD) | {"credentialData": f'{{"x":{DEEP.decode()}}}'}, "nested_too_deeply"),
        (exports.keycloak_argon2(version="1.0"), "unknown_hash_scheme"),
        (exports.keycloak_argon2(memory_kib="1073741824"), "hash_cost_out_of_bounds"),
        (exports.keycloak_argon2(memory_kib="9" * 5000), "hash_cost_out_of_bounds"),
        (exports.keycloak_argon2(memory_kib="-1"), "hash_cost_out_of_bounds"),
        (exports.keycloak_argon2(memory_kib="٣"), "hash_cost_out_of_bounds"),
        (exports.keycloak_password("bcrypt", 31, HASH.replace("$04$", "$31$")), "hash_cost_out_of_bounds"),
        (exports.keycloak_password("bcrypt", 4, "plain text"), "unknown_hash_scheme"),
    ],
)
def test_a_password_of_keycloak_that_cannot_be_checked_has_its_reason(
    credential: dict[str, Any], reason: str | None
) -> None:
    """Costs that would make a login hang, shapes that nothing writes, texts that are no hash."""
    assert keycloak_reason(credential) == reason


def test_who_has_not_one_password_is_told_of() -> None:
    """Federated people have none here; which of two is theirs nobody can say."""
    assert keycloak_reason() == "no_password"
    assert keycloak_reason(GOOD, GOOD) == "several_passwords"
    assert keycloak_reason(exports.keycloak_otp()) == "no_password"
    assert keycloak_reason(GOOD, serviceAccountClientId="backend") == "service_account"
    assert keycloak_reason(GOOD, enabled="yes") == "wrong_shape"
    assert keycloak_reason(GOOD, {"type": "password-history", "secretData": "{}"}) is None


@pytest.mark.parametrize(
    "credential",
    [
        exports.keycloak_otp(subType="hotp"),
        exports.keycloak_otp(digits=8),
        exports.keycloak_otp(period=60),
        exports.keycloak_otp(algorithm="HmacSHA256"),
        exports.keycloak_otp(secretEncoding="HEX"),
        {"type": "otp", "secretData": "{", "credentialData": "{}"},
        {"type": "webauthn", "secretData": "{}", "credentialData": "{}"},
    ],
)
def test_a_second_factor_that_is_not_checked_here_is_told_of(credential: dict[str, Any]) -> None:
    """The person is taken, and the operator knows what they have to enrol again."""
    (record,) = read(keycloak.records, exports.keycloak_realm(exports.keycloak_user("ada", GOOD, credential)))
    assert record.user is not None
    assert (record.user.totp_secret, record.remainders) == (None, ("second_factor",))


def test_required_actions_are_told_of() -> None:
    """A password that had to be changed does not have to be here."""
    user = exports.keycloak_user("ada", GOOD, requiredActions=["UPDATE_PASSWORD"])
    (record,) = read(keycloak.records, exports.keycloak_realm(user))
    assert record.remainders == ("required_actions",)


def test_people_of_a_realm_are_found_by_their_path() -> None:
    """Neighbours that look alike are not people; an export without neighbours is one too."""
    users = [exports.keycloak_user("a", GOOD), 7, exports.keycloak_user("b"), exports.keycloak_user("c", GOOD)]
    found = [("users[0]", None), ("users[1]", "wrong_shape"), ("users[2]", "no_password"), ("users[3]", None)]
    assert reasons(keycloak.records, exports.keycloak_realm(*users)) == found
    assert reasons(keycloak.records, b'{"users":[]}') == []


@pytest.mark.parametrize(
    ("custom", "reason"),
    [
        (exports.auth0_scrypt(cost=2**30), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=2**4000), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=1000), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=1), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=0), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=-8), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=2**17), None),
        (exports.auth0_scrypt(cost=2**18), None),
        (exports.auth0_scrypt(cost=2**19), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=2**17, parallelization=3), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(blockSize=2**30), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(cost=2**16, blockSize=1), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(parallelization=0), "hash_cost_out_of_bounds"),
        (exports.auth0_scrypt(16), "malformed_hash"),
        (exports.auth0_scrypt(salt=None), "malformed_hash"),
        (exports.auth0_scrypt(salt={"value": "x", "encoding": "rot13"}), "malformed_hash"),
        (exports.auth0_scrypt(hash={"value": "xyz", "encoding": "hex"}), "malformed_hash"),
        (exports.auth0_scrypt(hash={"value": "A", "encoding": "base64"}), "malformed_hash"),
        (exports.auth0_scrypt(password={"encoding": "utf16le"}), "unsupported_password_encoding"),
        (exports.as_text("pbkdf2", exports.phc_pbkdf2("sha256", 32).replace("i=1000", "i=1000000000")), "COST"),
        (exports.as_text("pbkdf2", exports.phc_pbkdf2("sha256", 32).replace("i=1000", "i=" + "9" * 60)), "COST"),
        (exports.as_text("pbkdf2", exports.phc_pbkdf2("sha256", 32).replace("i=1000", "i=x")), "malformed_hash"),
        (exports.as_text("pbkdf2", exports.phc_pbkdf2("md5", 32)), "unknown_hash_scheme"),
        (exports.as_text("argon2", exports.phc_argon2().replace("m=7168", "m=9999999999999")), "COST"),
        (exports.as_text("bcrypt", HASH + "\0"), "unknown_hash_scheme"),
        ({"algorithm": "md5", "hash": {"value": "5ebe2294ecd0e0f08eab7690d2a6ee69"}}, "unknown_hash_scheme"),
        ({"algorithm": "ldap", "hash": {"value": "{SSHA}x"}}, "unknown_hash_scheme"),
        ({"algorithm": "bcrypt", "hash": HASH}, None),
        ({"algorithm": "bcrypt"}, "wrong_shape"),
    ],
)
def test_a_password_of_auth0_that_cannot_be_checked_has_its_reason(custom: dict[str, Any], reason: str | None) -> None:
    """The same prices for everybody, whichever system asks for them."""
    assert auth0_reason(custom) == ("hash_cost_out_of_bounds" if reason == "COST" else reason)


def test_a_line_of_auth0_names_its_person() -> None:
    """The subject is what Auth0 wrote into tokens; the name is the username, or else the address."""
    lines = [
        exports.auth0_exported("ada"),
        exports.auth0_exported("bob") | {"username": None, "_id": "b-1"},
        exports.auth0_exported("eve", user_id="samlp|corp|eve"),
        exports.auth0_exported("fay", passwordHash=None),
        exports.auth0_exported("gus", password_hash=HASH),
    ]
    users = [
        (record.user.user_id, record.user.username)
        for record in read(auth0.records, exports.ndjson(*lines))
        if record.user
    ]
    assert users == [("auth0|ada-oid", "ada"), ("auth0|b-1", "bob@example.org"), ("samlp|corp|eve", "eve")]
    found = [("line 4", "no_password"), ("line 5", "several_passwords")]
    assert reasons(auth0.records, exports.ndjson(*lines))[3:] == found


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not_json"),
        (b"null", "wrong_shape"),
        (b"[1,2]", "wrong_shape"),
        (b'"\xff"', "wrong_shape"),
        (b'{"username":"\xff"}', "not_utf8"),
        (b'{"username":"\\ud800"}', "not_json"),
        (DEEP, "wrong_shape"),
        (b'{"x":' + DEEP + b"}", "nested_too_deeply"),
        (b'{"username":"' + b"a" * (1 << 20) + b'"}', "record_too_long"),
        (b"\0", "not_json"),
    ],
)
def test_a_line_that_is_no_record_does_not_touch_the_next(line: bytes, reason: str) -> None:
    """Its number and reason, and the reading goes on."""
    good = exports.ndjson(exports.auth0_exported("ada"))
    assert reasons(auth0.records, good + line + b"\r\n\n" + good) == [
        ("line 1", None),
        ("line 2", reason),
        ("line 4", None),
    ]


def table(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    """In any order, quoted or not; a byte-order mark and blank lines are passed over."""
    header = "\ufeffdisplay_name,Username,email,is_frozen,password_hash,totp_secret,user_id,email_verified"
    content = table(
        header, "", f'"Lovelace, ""A""",ada,a@b.example,yes,{HASH},JBSWY3DPEHPK3PXP,u-1,TRUE', f",eve,,,{HASH},,,"
    )
    ada, eve = (record.user for record in read(csv.records, content))
    assert ada is not None
    assert eve is not None
    assert (ada.display_name, ada.username, ada.user_id) == ('Lovelace, "A"', "ada", "u-1")
    assert (ada.is_frozen, ada.email_verified, ada.totp_secret) == (True, True, "JBSWY3DPEHPK3PXP")
    assert (eve.user_id, eve.totp_secret, eve.is_frozen, eve.email) == (None, None, False, "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ada", "wrong_number_of_columns"),
        (f"ada,{HASH},x", "wrong_number_of_columns"),
        ("ada,", "no_password"),
        ("ada,secret", "unknown_hash_scheme"),
        (f'"ada,{HASH}', "wrong_shape"),
        (f'"ada"x,{HASH}', "wrong_shape"),
        (f"ada,$pbkdf2-sha256$1000000000${'A' * 22}${'A' * 43}", "hash_cost_out_of_bounds"),
        (f'ada,"$scrypt$ln=30,r=8,p=1${"A" * 22}${"A" * 43}"', "hash_cost_out_of_bounds"),
        (f'ada,"$scrypt$ln={"9" * 90},r=8,p=1${"A" * 22}${"A" * 43}"', "hash_cost_out_of_bounds"),
        (f"{'a' * (1 << 20)},{HASH}", "record_too_long"),
        (f"{'a' * 200_000},{HASH}", "wrong_shape"),
    ],
)
def test_a_row_that_is_no_person_does_not_touch_the_next(line: str, reason: str) -> None:
    """A quotation mark that is never closed swallows its own line and no other."""
    content = table("username,password_hash", line, f"eve,{HASH}")
    assert reasons(csv.records, content) == [("line 2", reason), ("line 3", None)]


def test_a_row_that_is_not_utf_8_has_its_reason() -> None:
    """Latin-1 from a spreadsheet."""
    content = b"username,password_hash\nJ\xf6rg,x\n"
    assert reasons(csv.records, content) == [("line 2", "not_utf8")]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "ada," + HASH,
        "username",
        "username,password_hash,username",
        "username,password_hash,password",
        "username;password_hash",
        '"username,password_hash',
        "\0",
    ],
)
def test_a_table_without_its_header_is_refused_whole(header: str) -> None:
    """Nobody is guessed to be a column, and a password in clear has none."""
    with pytest.raises(BadFile, match="header"):
        read(csv.records, table(header, f"ada,{HASH}") if header else b"")


BROKEN: list[tuple[Reader, bytes]] = [
    *[(own.records, text) for text in (b"", b"{}", b"[", b"[1", b'["', b'["\\', b"[1]]", b"[1]x", b"x[1]", b"[}]")],
    *[(own.records, text) for text in (DEEP[:100_000], b"null", b"\xff\xfe[\0]\0", b'"[]"', b"[{]")],
    *[(keycloak.records, text) for text in (b"[]", b"{}", b'{"users":{}}', b'{"users":[', b'{"x":{"users":[]}}')],
    *[(keycloak.records, text) for text in (b'{"a":"users","b":[]}', b'{"users":null,"x":[]}', b'{"users"', b'{"us')],
]


@pytest.mark.parametrize(("reader", "content"), BROKEN)
def test_a_file_that_is_not_of_its_format_is_refused_whole(reader: Reader, content: bytes) -> None:
    """Something is missing at its end, or it is another file."""
    with pytest.raises(BadFile):
        read(reader, content)


def test_own_records_are_found_by_their_place() -> None:
    """A record of another shape has its reason; what is unknown in a record is passed over."""
    records = [{"username": "ada", "password_hash": HASH, "shoe_size": [42, "]", '"']}, 1, {"username": "eve"}]
    found = [("record 0", None), ("record 1", "wrong_shape"), ("record 2", "wrong_shape")]
    assert reasons(own.records, json.dumps(records, indent=1).encode()) == found


def test_a_bcrypt_hash_with_stray_bits_is_mended() -> None:
    """Old libraries left them in the last characters; they stand for nothing."""
    stray = HASH[:28] + chr(ord(HASH[28]) + 1) + HASH[29:]
    (record,) = read(csv.records, table("username,password_hash", f"ada,{stray}"))
    assert record.user is not None
    assert record.user.password_hash == HASH


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=6), st.sampled_from([None, 1, 4]), st.booleans(), st.integers(1, 40))
def test_a_list_is_cut_where_a_json_decoder_cuts_it(
    values: list[Any], indent: int | None, is_ascii: bool, chunk: int
) -> None:
    """Whatever is in it, however it is written, wherever a read ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "CHUNK_BYTES", chunk)
        text = json.dumps(values, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
        assert [json.loads(cut or b"") for cut in documents.elements(io.BytesIO(text))] == values
        under = b'{"a":[{"users":[1]}],"\\"users":[2], "users" :\n' + text + b', "users":[3]}'
        assert [json.loads(cut or b"") for cut in documents.elements(io.BytesIO(under), under="users")] == values


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([own, keycloak, auth0, csv]), st.sampled_from([b"", b"[", b'{"users":['])
)
def test_no_bytes_make_a_reader_fail(noise: bytes, module: Any, before: bytes) -> None:
    """Records, or a bad file."""
    with suppress(BadFile):
        assert all(
            (record.user is None) is (record.reason is not None) for record in read(module.records, before + noise)
        )


class Endless(io.RawIOBase):
    """A file of so many equal records, none of which exists before it is read."""

    def __init__(self, before: bytes, record: bytes, count: int, after: bytes) -> None:
        self._parts = iter(filter(None, [before, *[record] * count, after]))
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            self._rest = next(self._parts, b"")
            if not self._rest:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


@pytest.mark.parametrize(
    ("reader", "before", "record", "after"),
    [
        (own.records, b"[1", b',{"username":"a","password_hash":"%s","x":"%s"}' % (HASH.encode(), b"y" * 4000), b"]"),
        (keycloak.records, b'{"x":"' + b"z" * 3_000_000 + b'","users":[1', b',{"x":"%s"}' % (b"y" * 4000), b"]}"),
        (auth0.records, b"", b'{"username":"%s"}\n' % (b"y" * 4000), b""),
        (csv.records, b"username,password_hash\n", b"%s,x\n" % (b"y" * 4000), b""),
        (own.records, b"[1", b',"%s"' % (b"y" * 2_000_000), b"]"),
    ],
)
def test_a_large_file_is_never_held(reader: Reader, before: bytes, record: bytes, after: bytes) -> None:
    """Twenty megabytes pass through a few."""
    count = 20_000_000 // len(record)
    source = io.BufferedReader(Endless(before, record, count, after))
    tracemalloc.start()
    try:
        n_records = sum(1 for _ in reader(source))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count <= n_records <= count + 1
    assert peak_bytes < 8_000_000
