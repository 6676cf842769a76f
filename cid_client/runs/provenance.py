"""What a run was, as the catalog sealed it; whether it is so can be checked without the catalog."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadInput, Conflict, NotConfigured
from ..wire.session import Session
from . import canonical

FORMAT = "cid-provenance/1"
FIELDS = ("record", "sealed_at", "sha256", "key", "signature")


class Provenance:
    """The record of one run: template, parameters, inputs, outputs, environment, log, price.

    `record` is plain data. Once the run has ended it is `sealed`: signed, and never changed again.
    """

    def __init__(self, told: Mapping[str, Any], session: Session | None = None) -> None:
        self.record: dict[str, Any] = dict(told["record"])
        self.sealed_at: str | None = told.get("sealed_at")
        self.sha256: str | None = told.get("sha256")
        self.key: str | None = told.get("key")
        self.signature: str | None = told.get("signature")
        self._session = session

    @property
    def sealed(self) -> bool:
        """Whether it is signed, and will not change any more."""
        return self.signature is not None

    @property
    def run(self) -> str:
        """The uid of the run."""
        return str(self.record["run"]["uid"])

    def verify(self, keys: Iterable[Mapping[str, Any]] | None = None) -> Provenance:
        """Return it if it is what the catalog signed; raise BadInput when it was changed.

        `keys` are the catalog's public keys, from its `keys`; without them they are asked for.
        """
        if self.signature is None:
            raise Conflict(f"run {self.run} is not sealed yet: it is signed once it has ended")
        if keys is None:
            if self._session is None:
                raise NotConfigured("the catalog's public keys are needed: pass keys=…")
            keys = self._session.get("keys")["keys"]
        content = canonical.encode(self.record)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise BadInput(f"the record of run {self.run} was changed after it was sealed")
        self._check(content, {str(key.get("kid")): key for key in keys})
        return self

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as a JSON file, for `cid verify-run` or `read`."""
        target = Path(path)
        told = {name: getattr(self, name) for name in FIELDS}
        target.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return target

    def __repr__(self) -> str:
        about = self.record["template"]
        state = "sealed" if self.sealed else "not sealed"
        return f"<Provenance of run {self.run}: {about['name']} {about['version']}, {state}>"

    def _check(self, content: bytes, keys: Mapping[str, Mapping[str, Any]]) -> None:
        """Check a detached JWS (RFC 7515) with an Ed25519 key (RFC 8037)."""
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        except ImportError:
            raise NotConfigured("checking a signature needs: pip install cryptography") from None
        wrong = BadInput(f"the signature of run {self.run} is not the catalog's")
        try:
            header, empty, signature = str(self.signature).split(".")
            told = json.loads(_bytes(header))
            if empty or told["alg"] != "EdDSA":
                raise wrong
            key = keys.get(str(told["kid"]))
        except (ValueError, KeyError, TypeError):
            raise wrong from None
        if key is None:
            raise BadInput(f"run {self.run} is signed with a key that is not among these keys")
        payload = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
        try:
            public = Ed25519PublicKey.from_public_bytes(_bytes(str(key.get("x"))))
            public.verify(_bytes(signature), f"{header}.{payload}".encode())
        except (InvalidSignature, ValueError):
            raise wrong from None


def read(path: str | os.PathLike[str], session: Session | None = None) -> Provenance:
    """Return what `save` wrote, or the `provenance.json` of a crate; BadInput: it is none."""
    try:
        told = json.loads(Path(path).read_text("utf-8"))
        if told["record"]["format"] != FORMAT:
            raise BadInput(f"{path} is of another format than {FORMAT}")
        return Provenance(told, session)
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path} is no record of a run: save one with run.provenance()") from None


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
