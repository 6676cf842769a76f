"""Run tokens: each run and each attempt has its own, and the catalog keeps only its hash."""

from __future__ import annotations

from itertools import product

from cid_server_ext.runners.tokens import hash_token, new_key, token_for


def test_runs_and_attempts_have_different_tokens():
    key, later = new_key(), new_key()
    every = product((key, later), ("a", "b"), (1, 2))
    assert len({token_for(*one) for one in every}) == 8
    assert token_for(key, "a", 1) == token_for(key, "a", 1)


def test_neither_key_nor_token_can_be_read_from_the_hash():
    token = token_for(new_key(), "a", 1)
    assert hash_token(token) != token
    assert len(hash_token(token)) == 64
