"""The key of a cluster and the tokens of its runs: what a worker holds instead of a login.

One random key goes into a cluster's environment. The token of a run's attempt is derived from it,
and the catalog keeps only the hash of the newest attempt's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_key() -> str:
    """Return a random key for one cluster."""
    return secrets.token_hex(32)


def token_for(key: str, uid: str, attempt: int) -> str:
    """Return the token of an attempt of the run `uid` under a cluster's key."""
    return hmac.new(key.encode(), f"{uid}.{attempt}".encode(), hashlib.sha256).hexdigest()


def hash_token(token: str) -> str:
    """Return what the catalog remembers of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
