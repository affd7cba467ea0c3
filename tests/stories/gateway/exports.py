"""Exports as other systems write them, made here: the password is known, and hashed by hashlib, bcrypt and argon2
themselves, never by what checks it later."""

import hashlib
import json
from base64 import b64encode
from functools import cache
from typing import Any

import argon2.low_level as argon2
import bcrypt

PASSWORD = "Grüße, Password 123!"
SALT = bytes(range(7, 23))


def base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def unpadded(raw: bytes) -> str:
    return base64(raw).rstrip("=")


def bcrypt_hash(password: str = PASSWORD, version: str = "2b") -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", f"${version}$")


@cache
def pbkdf2_key(digest: str, iterations: int, n_bytes: int) -> bytes:
    return hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), SALT, iterations, n_bytes)


@cache
def scrypt_key(cost: int, n_bytes: int, salt: bytes = SALT) -> bytes:
    return hashlib.scrypt(PASSWORD.encode(), salt=salt, n=cost, r=8, p=1, dklen=n_bytes)


@cache
def argon2_key(variant: argon2.Type, memory_kib: int) -> bytes:
    return argon2.hash_secret_raw(PASSWORD.encode(), SALT, 5, memory_kib, 1, 32, variant)


# Keycloak -----------------------------------------------------------------------------------------------------------


def keycloak_password(algorithm: str, iterations: int, value: str, **parameters: str) -> dict[str, Any]:
    data = {"hashIterations": iterations, "algorithm": algorithm}
    more = {"additionalParameters": {name: [text] for name, text in parameters.items()}}
    secret = {"value": value, "salt": base64(SALT), "additionalParameters": {}}
    return {
        "id": "c-1",
        "type": "password",
        "createdDate": 1_700_000_000_000,
        "secretData": json.dumps(secret),
        "credentialData": json.dumps(data | more),
    }


def keycloak_pbkdf2(algorithm: str, digest: str, n_bytes: int, iterations: int = 1000) -> dict[str, Any]:
    return keycloak_password(algorithm, iterations, base64(pbkdf2_key(digest, iterations, n_bytes)))


def keycloak_argon2(variant: str = "id", version: str = "1.3", memory_kib: str = "7168") -> dict[str, Any]:
    kinds = {"id": argon2.Type.ID, "i": argon2.Type.I, "d": argon2.Type.D}
    value = base64(argon2_key(kinds[variant], 7168))
    return keycloak_password(
        "argon2", 5, value, hashLength="32", memory=memory_kib, type=variant, version=version, parallelism="1"
    )


def keycloak_otp(text: str = "dLh2kVnJ4bWq8sTz0pYx", **data: Any) -> dict[str, Any]:
    usual = {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}
    return {
        "id": "o-1",
        "type": "otp",
        "userLabel": "telephone",
        "secretData": json.dumps({"value": text}),
        "credentialData": json.dumps(usual | data),
    }


def keycloak_user(username: str, *credentials: dict[str, Any], **more: Any) -> dict[str, Any]:
    user = {
        "id": f"kc-{username}",
        "username": username,
        "firstName": "Ada",
        "lastName": "Łovelace",
        "email": f"{username}@example.org",
        "emailVerified": True,
        "createdTimestamp": 1_600_000_000_000,
        "enabled": True,
        "totp": False,
        "credentials": list(credentials),
        "disableableCredentialTypes": [],
        "requiredActions": [],
        "realmRoles": ["default-roles-realm"],
        "notBefore": 0,
        "groups": ["/staff"],
    }
    return user | more


def keycloak_realm(*users: Any) -> bytes:
    """With neighbours that look like what is looked for."""
    realm = {
        "id": "users",
        "realm": 'a "users": [ realm',
        "roles": {"users": [{"username": "not-a-person"}], "realm": []},
        "users": list(users),
        "clients": [{"clientId": "account", "users": []}],
    }
    return json.dumps(realm, ensure_ascii=False, indent=2).encode()


# Auth0 --------------------------------------------------------------------------------------------------------------


def auth0_exported(username: str, **more: Any) -> dict[str, Any]:
    """As support hands password hashes out."""
    return {
        "_id": {"$oid": f"{username}-oid"},
        "email": f"{username}@example.org",
        "username": username,
        "email_verified": True,
        "passwordHash": bcrypt_hash(),
        "password_set_date": {"$date": "2024-01-01T00:00:00.000Z"},
        "tenant": "example",
        "connection": "Username-Password-Authentication",
        "_tmp_is_unique": True,
    } | more


def auth0_custom(username: str, custom: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"user_id": username, "username": username, "name": "Ada", "custom_password_hash": custom} | more


def auth0_scrypt(n_bytes: int = 64, **more: Any) -> dict[str, Any]:
    return {
        "algorithm": "scrypt",
        "hash": {"value": scrypt_key(1024, n_bytes).hex(), "encoding": "hex"},
        "salt": {"value": base64(SALT), "encoding": "base64"},
        "keylen": n_bytes,
        "cost": 1024,
        "blockSize": 8,
        "parallelization": 1,
    } | more


def phc_pbkdf2(digest: str, n_bytes: int, iterations: int = 1000) -> str:
    key = pbkdf2_key(digest, iterations, n_bytes)
    return f"$pbkdf2-{digest}$i={iterations},l={n_bytes}${unpadded(SALT)}${unpadded(key)}"


def phc_argon2() -> str:
    return f"$argon2id$v=19$m=7168,t=5,p=1${unpadded(SALT)}${unpadded(argon2_key(argon2.Type.ID, 7168))}"


def as_text(algorithm: str, value: str) -> dict[str, Any]:
    return {"algorithm": algorithm, "hash": {"value": value, "encoding": "utf8"}}


def ndjson(*users: Any) -> bytes:
    return b"".join(json.dumps(user, ensure_ascii=False).encode() + b"\n" for user in users)
