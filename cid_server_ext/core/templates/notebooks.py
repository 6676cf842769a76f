"""What a template's notebook must be before it is published: found by reading, nothing is run."""

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .manifest import Manifest

LARGEST = 5_000_000
MAGICS = ("%", "!")  # lines of IPython that are no Python
SECRETS = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "IbmCloudIamDetector", "JwtTokenDetector", "KeywordDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip
"""What detect-secrets looks for; not entropy, which takes every checksum for a secret."""

_scanning = threading.Lock()  # its settings are one for the process


def problems(manifest: Manifest, notebook: str) -> Iterator[str]:
    """Say what stands in the way of publishing, a line each; the first may be all there is."""
    if len(notebook) > LARGEST:
        yield "a template notebook has at most 5 MB: clear its outputs"
        return
    try:
        cells = json.loads(notebook)["cells"]
        sources = [(str(cell["cell_type"]), _text(cell["source"])) for cell in cells]
        tagged = [
            at
            for at, cell in enumerate(cells)
            if "parameters" in cell.get("metadata", {}).get("tags", [])
        ]
        written = [at for at, cell in enumerate(cells, 1) if cell.get("outputs")]
    except (ValueError, TypeError, KeyError, AttributeError):
        yield "the notebook is not an nbformat 4 document"
        return
    if len(tagged) != 1:
        yield "the notebook needs exactly one cell tagged 'parameters'"
    else:
        yield from _parameters(manifest, sources[tagged[0]][1])
    if written:
        told = ", ".join(map(str, written[:5]))
        yield f"cell {told}: it has outputs, which everybody would see: clear them"
    yield from _secrets(sources)


def _parameters(manifest: Manifest, source: str) -> Iterator[str]:
    """Compare the tagged cell with the manifest: each name there must be here, and no other."""
    try:
        found = _assigned(source)
    except SyntaxError as error:
        yield f"the cell 'parameters', line {error.lineno}: {error.msg}"
        return
    for name in manifest.parameters:
        if name not in found:
            yield f"the cell 'parameters' does not set {name}, which template.toml has"
    for name, value in found.items():
        parameter = manifest.parameters.get(name)
        if parameter is None:
            yield f"the cell 'parameters' sets {name}, which template.toml does not have"
        elif parameter.default is not None and value is not ... and value != parameter.default:
            said = f"{value!r} in the cell 'parameters' and {parameter.default!r} in template.toml"
            yield f"the default of {name} is {said}"


def _assigned(source: str) -> dict[str, Any]:
    """Return the names that a cell sets with their values; ... for what is no plain value."""
    lines = ["" if line.lstrip().startswith(MAGICS) else line for line in source.splitlines()]
    found: dict[str, Any] = {}
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.Assign):
            names, value = [one for one in node.targets if isinstance(one, ast.Name)], node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            names, value = [node.target], node.value
        else:
            continue
        try:
            told = ast.literal_eval(value)
        except ValueError:
            told = ...
        found |= {one.id: told for one in names}
    return found


def _secrets(sources: list[tuple[str, str]]) -> Iterator[str]:
    # imported here: it takes half a second that no other request needs
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    plugins = {"plugins_used": [{"name": name} for name in SECRETS]}
    with _scanning, transient_settings(plugins):
        for at, (_, source) in enumerate(sources, 1):
            for number, line in enumerate(source.splitlines(), 1):
                kinds = sorted({found.type for found in scan_line(line)})
                if kinds:  # what it is, never the line itself
                    kind = ", ".join(kinds)
                    yield f"cell {at}, line {number}: it looks like a secret ({kind}): take it out"


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def canonical(raw: Mapping[str, Any]) -> bytes:
    """Return a manifest as bytes that are equal for equal manifests."""
    return json.dumps(raw, sort_keys=True, separators=(",", ":"), default=str).encode()
