"""A server's certificate under a private authority of its own, made for one test."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Tls:
    """What a server shows, and what a client that trusts it alone knows; `authority` is the latter as a file."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    authority: Path


def certified(place: Path, name: str) -> Tls:
    """A fresh certificate for that name, its files in that place."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    authority, chain = place / "authority.pem", place / "server.pem"
    authority.write_bytes(made.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password)
    chain.write_bytes(private + made.public_bytes(pem))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain)
    return Tls(server=server, client=ssl.create_default_context(cafile=str(authority)), authority=authority)


class Authority:
    """A private authority that certifies whom it is told to; its own certificate is a file."""

    def __init__(self, place: Path, name: str) -> None:
        self._place, self._name = place, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = place / f"{name}.pem"
        made = _builder(name, name, self._key.public_key(), days=1)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    def certify(self, name: str, *, days: int = 1, password: bytes | None = None) -> tuple[Path, Path]:
        """Certificate and key of somebody, as files; `days` below zero have run out."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(name, self._name, key.public_key(), days=days)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        files = self._place / f"{self._name}-{name}.pem", self._place / f"{self._name}-{name}.key"
        kept = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        files[0].write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        files[1].write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, kept))
        return files


_PEM = serialization.Encoding.PEM


def _builder(name: str, issuer: str, public_key: ec.EllipticCurvePublicKey, *, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    subject, signed_by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer))
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
