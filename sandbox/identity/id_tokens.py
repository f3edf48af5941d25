"""Id tokens, signed as Entra signs them (RS256), and the public key by which clients check them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_ID = "sandbox"


class IdTokens:
    """Signs with a key of the data directory, made on first use: most sandboxes never need one."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "id-tokens.pem"
        self._loaded: rsa.RSAPrivateKey | None = None

    def sign(self, claims: dict[str, Any]) -> str:
        header = _part({"typ": "JWT", "alg": "RS256", "kid": _KEY_ID})
        signed = f"{header}.{_part(claims)}"
        return f"{signed}.{encode(self._key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        numbers = self._key().public_key().public_numbers()
        modulus, exponent = (encode(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (numbers.n, numbers.e))
        key = {"kty": "RSA", "use": "sig", "kid": _KEY_ID, "alg": "RS256", "n": modulus, "e": exponent}
        return {"keys": [key]}

    def _key(self) -> rsa.RSAPrivateKey:
        if self._loaded is None:
            if not self._file.exists():
                _write_key(self._file)
            loaded = serialization.load_pem_private_key(self._file.read_bytes(), None)
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise TypeError(f"{self._file} holds another kind of key")
            self._loaded = loaded
        return self._loaded


def _write_key(file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    new.replace(file)


def _part(content: dict[str, Any]) -> str:
    return encode(json.dumps(content).encode())


def encode(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
