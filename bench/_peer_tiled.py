"""Run by a Python that has Tiled: register the same images, serve them, ask over HTTP.

`python _peer_tiled.py FOLDER PORT` reads facility.npz and cases.json, writes tiled.json.
"""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np


def register(folder: Path, told: dict[str, np.ndarray]) -> str:
    """Fill a catalog of Tiled's own tables; its triggers keep what it searches with."""
    catalog = folder / "tiled.db"
    tiled = [sys.executable, "-m", "tiled"]
    url = f"sqlite:///{catalog}"
    subprocess.run([*tiled, "catalog", "init", url], check=True, capture_output=True)
    rows = (
        (
            number,
            0,
            str(number),
            "container",
            json.dumps(
                {"number": f"{number:08}", "project": project}
                | {f"key{key}": f"t{tag}" for key, tag in enumerate(tags)}
            ),
            "[]",
        )
        for number, (project, tags) in enumerate(
            zip(told["project"].tolist(), told["value"].T.tolist(), strict=True), 1
        )
    )
    with sqlite3.connect(catalog) as connection:
        connection.executemany(
            "INSERT INTO nodes (id, parent, key, structure_family, metadata, specs)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
    return url


def main(folder: Path, port: int) -> None:
    with np.load(folder / "small.npz") as told:
        began = time.perf_counter()
        url = register(folder, dict(told))
        made = time.perf_counter() - began
    cases = json.loads((folder / "small.json").read_text())
    command = [sys.executable, "-m", "tiled", "serve", "catalog", url, "--api-key", "secret"]
    server = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}/api/v1/"
    headers = {"Authorization": "Apikey secret"}
    seconds, numbers = [], []
    try:
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    client.get("").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            for case in cases:
                asked = {
                    "filter[eq][condition][key]": f"key{case['term']}",
                    "filter[eq][condition][value]": json.dumps(f"t{case['value']}"),
                    "filter[in][condition][key]": "project",
                    "filter[in][condition][value]": json.dumps(case["projects"]),
                    "sort": "-number",
                    "page[limit]": "50",
                    "fields": "metadata",
                }
                began = time.perf_counter()
                answer = client.get("search/", params=asked)
                seconds.append(time.perf_counter() - began)
                answer.raise_for_status()
                numbers.append([int(each["id"]) for each in answer.json()["data"]])
    finally:
        server.terminate()
        server.wait(20)
    answer = {"made": made, "seconds": seconds, "found": numbers}
    (folder / "tiled.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
