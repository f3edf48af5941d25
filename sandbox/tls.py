"""The sandbox's certificate authority and its one server certificate, made on first start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost", "*.azurecr.sandbox")
ADDRESSES = ("127.0.0.1", "::1")
VALID = timedelta(days=820)  # Apple's clients refuse server certificates of more than 825 days


@dataclass(frozen=True)
class Certificates:
    """Paths of the CA's certificate, and of the server's certificate and key."""

    ca: Path
    leaf: Path
    key: Path


def ensure_certificates(directory: Path, now: datetime) -> Certificates:
    """The directory's certificates; they are made when missing or about to end. The CA's key is not kept."""
    files = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    if files.ca.exists():  # written last
        leaf = x509.load_pem_x509_certificate(files.leaf.read_bytes())
        if leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc - timedelta(days=30):
            return files
    ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _certificate("ACR Console sandbox CA", "ACR Console sandbox CA", ca_key, ca_key, now, authority=True)
    leaf = _certificate("localhost", "ACR Console sandbox CA", leaf_key, ca_key, now, authority=False)
    private = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.ca.unlink(missing_ok=True)
    files.key.touch(mode=0o600)
    files.key.write_bytes(private)
    files.leaf.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    files.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    return files


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    authority: bool,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        names = [x509.DNSName(name) for name in NAMES]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
        builder = builder.add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
