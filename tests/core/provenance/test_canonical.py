"""One spelling for equal values, the same in the catalog and in the client."""

from __future__ import annotations

from typing import Any

import pytest

from cid_client.runs import canonical as theirs
from cid_server_ext.core.provenance import canonical

SPELT: list[tuple[Any, str]] = [
    ({"b": 1, "a": [True, None, "é\n"]}, '{"a":[true,null,"é\\n"],"b":1}'),
    # RFC 8785, 3.2.3: sorted by UTF-16 units, so a surrogate pair comes before U+FB33
    ({"\ufb33": 1, "\U0001f600": 2, "1": 3, "\r": 4}, '{"\\r":4,"1":3,"\U0001f600":2,"\ufb33":1}'),
    ([0.0, -0.0, 1.0, 1e21, 1e20, 4.50, 2e-3], "[0,0,1,1e+21,100000000000000000000,4.5,0.002]"),
    ([1e-6, 1e-7, 1.5e-7, 5e-324], "[0.000001,1e-7,1.5e-7,5e-324]"),
    ([333333333.33333329, 1.7976931348623157e308], "[333333333.3333333,1.7976931348623157e+308]"),
    ([2**53, -7, -1.25e30], "[9007199254740992,-7,-1.25e+30]"),
]


@pytest.mark.parametrize(("value", "spelling"), SPELT)
def test_values_are_spelt_as_the_rfc_says(value: Any, spelling: str) -> None:
    assert canonical.encode(value) == theirs.encode(value) == spelling.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical.encode({"a": value})
