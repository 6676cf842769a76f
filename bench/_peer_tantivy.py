"""Run by a Python that has tantivy: index the same images and answer the same questions.

`python _peer_tantivy.py FOLDER` reads facility.npz and cases.json, writes tantivy.json.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tantivy


def main(folder: Path) -> None:
    told = np.load(folder / "facility.npz")
    cases = json.loads((folder / "cases.json").read_text())
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", stored=False, indexed=True, fast=True)
    builder.add_unsigned_field("project", stored=False, indexed=True)
    builder.add_text_field("tags", stored=False, tokenizer_name="whitespace", index_option="basic")
    schema = builder.build()
    (folder / "tantivy").mkdir()
    index = tantivy.Index(schema, path=str(folder / "tantivy"))
    began = time.perf_counter()
    writer = index.writer(256_000_000, 1)
    projects, values = told["project"].tolist(), told["value"].T.tolist()
    for at, (project, tags) in enumerate(zip(projects, values, strict=True), 1):
        document = tantivy.Document()
        document.add_unsigned("number", at)
        document.add_unsigned("project", project)
        document.add_text("tags", " ".join(f"t{tag}" for tag in tags))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    made = time.perf_counter() - began
    searcher = index.searcher()
    seconds, numbers = [], []
    for case in cases:
        began = time.perf_counter()
        mine = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "project", project))
            for project in case["projects"]
        ]
        asked = tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, tantivy.Query.term_query(schema, "tags", f"t{case['value']}")),
                (tantivy.Occur.Must, tantivy.Query.boolean_query(mine)),
            ]
        )
        found = searcher.search(asked, 50, count=False, order_by_field="number")
        seconds.append(time.perf_counter() - began)
        numbers.append([int(key) for key, _ in found.hits])
    answer = {"made": made, "seconds": seconds, "found": numbers}
    (folder / "tantivy.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
