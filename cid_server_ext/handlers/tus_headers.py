"""What the headers of tus 1.0.0 say; BadInput where they say it wrongly."""

from __future__ import annotations

import base64
import binascii
import re

from ..errors import BadInput

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
CHECKSUMS = ("sha1", "sha256")
BODY = "application/offset+octet-stream"
PAIR = re.compile(r"([!-+\--~]+)(?: ([A-Za-z0-9+/=]*))?")


def whole(text: str, name: str) -> int:
    """Return a number of bytes."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadInput(f"{name} must be a whole number of bytes")
    return int(text)


def checksum(header: str) -> tuple[str, bytes] | None:
    """Return what Upload-Checksum says: the algorithm and the digest."""
    if not header:
        return None
    name, _, code = header.partition(" ")
    if name not in CHECKSUMS:
        raise BadInput(f"Upload-Checksum is one of {', '.join(CHECKSUMS)}")
    try:
        return name, base64.b64decode(code, validate=True)
    except binascii.Error:
        raise BadInput("the Upload-Checksum is not base64") from None


def metadata(header: str) -> dict[str, str]:
    """Return what Upload-Metadata says; values that are no text are passed by."""
    told: dict[str, str] = {}
    for pair in header.split(",") if header else ():
        found = PAIR.fullmatch(pair.strip())
        if found is None or found[1] in told:
            raise BadInput("Upload-Metadata is a list of: key, blank, base64; each key once")
        try:
            told[found[1]] = base64.b64decode(found[2] or "", validate=True).decode()
        except UnicodeDecodeError:
            told[found[1]] = ""
        except binascii.Error:
            raise BadInput(f"the value of {found[1]} in Upload-Metadata is not base64") from None
    return told
