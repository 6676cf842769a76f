"""The service's own signature: an Ed25519 key of its own, and all public keys it ever had.

In the folder: `current.pem` (private, mode 0600, made at the first start) and one `<name>.jwk` for
each public key, which stay. Who takes `current.pem` away has a new key made at the next start.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CURRENT = "current.pem"


@dataclass(frozen=True, slots=True)
class Keys:
    """The private key that signs now. `folder` holds every public one."""

    folder: Path
    private: Ed25519PrivateKey
    name: str

    def sign(self, content: bytes) -> str:
        """Return a detached JWS over the content: `header..signature`."""
        header = _b64(json.dumps({"alg": "EdDSA", "kid": self.name}).encode())
        signature = self.private.sign(f"{header}.{_b64(content)}".encode())
        return f"{header}..{_b64(signature)}"

    def public(self) -> list[dict[str, Any]]:
        """Return every public key as a JWK: the one that signs now first."""
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.jwk"))]
        return sorted(found, key=lambda key: key["kid"] != self.name)


def opened(folder: Path) -> Keys:
    """Return the keys of a folder; the first start makes it and its key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    current = folder / CURRENT
    if not current.exists():
        made = Ed25519PrivateKey.generate().private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        )
        _once(current, made, 0o600)
    private = form.load_pem_private_key(current.read_bytes(), None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"{current} is no Ed25519 key: take it away, and another is made")
    key = jwk(private.public_key().public_bytes_raw())
    if not (folder / f"{key['kid']}.jwk").exists():
        _once(folder / f"{key['kid']}.jwk", json.dumps(key).encode(), 0o644)
    return Keys(folder, private, key["kid"])


def jwk(public: bytes) -> dict[str, Any]:
    """Return a public key as JSON (RFC 8037), named by its thumbprint (RFC 7638)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _b64(public)}
    told = json.dumps(members, separators=(",", ":"), sort_keys=True)
    name = _b64(hashlib.sha256(told.encode()).digest())
    return {**members, "kid": name, "use": "sig", "alg": "EdDSA"}


def _once(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, whole or not at all; another process may be first."""
    made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    with suppress(FileExistsError):
        os.link(made, path)
    made.unlink()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
