"""Requests of the matrix about people: teams, members, requests, leaving."""

from __future__ import annotations

import itertools

unique = itertools.count(1000)

ROWS = {
    ("GET", "teams"): lambda w: ("teams", None),
    ("GET", "teams/{team}"): lambda w: (f"teams/lab-{w.project}", None),
    ("PATCH", "teams/{team}"): lambda w: (f"teams/lab-{w.project}", {"title": "New"}),
    ("PUT", "teams/{team}/members/{person}"): lambda w: (
        f"teams/lab-{w.project}/members/newcomer",
        {"role": "member"},
    ),
    ("DELETE", "teams/{team}/members/{person}"): lambda w: (
        f"teams/lab-{w.project}/members/teammate",
        None,
    ),
    ("GET", "people/{person}/belongings"): lambda w: ("people/contributor/belongings", None),
    ("POST", "people/{person}/handover"): lambda w: ("people/teammate/handover", {"to": "heir"}),
    ("GET", "requests"): lambda w: ("requests", None),
    ("POST", "requests"): lambda w: (
        "requests",
        {"name": f"asked-{next(unique)}", "team": "new-team", "limit": 10},
    ),
    ("GET", "requests/{request}"): lambda w: (f"requests/{w.request}", None),
    ("POST", "requests/{request}/approve"): lambda w: (f"requests/{w.request}/approve", {}),
    ("POST", "requests/{request}/refuse"): lambda w: (
        f"requests/{w.request}/refuse",
        {"reason": "no room"},
    ),
    ("POST", "requests/{request}/withdraw"): lambda w: (f"requests/{w.request}/withdraw", None),
}
