"""Small replicas written by hand, for tests that look at choices among many of them.

What they hold matters little; the replicas that the generator builds are in the fixture
`replicas`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PERSONS = {
    "person_id": ["p1", "p2", "p3", "p4"],
    "province_code": ["01", "01", "79", "79"],
    "sex": ["male", "female", "female", "male"],
    "age": [3, 25, 34, 80],
}
ENTERPRISES = {"tax_code": ["t1", "t2"], "province_code": ["01", "79"]}
CONTENT = {"population": {"persons": PERSONS}, "enterprise": {"enterprises": ENTERPRISES}}


def text(vi, en):
    return {"vi": vi, "en": en}


def replica(
    home: Path,
    dataset: str,
    *,
    version: str,
    scale: str = "0.01",
    seed: int = 1,
    area: str | None = None,
    depends: dict[str, str] | None = None,
    time_s: int = 1_000,
) -> Path:
    """Publish one replica whose manifest is `time_s` seconds old after the epoch."""
    folder = home / "replicas" / dataset / version
    tables = []
    for name, columns in CONTENT[dataset].items():
        (folder / name).mkdir(parents=True)
        file = folder / name / "part-00000.parquet"
        pq.write_table(pa.table(columns), file)
        tables.append(described(name, columns, file.stat().st_size))
    manifest = {
        "format": 1,
        "dataset": dataset,
        "version": version,
        "title": text("Bộ dữ liệu", "Dataset"),
        "description": text("Mô tả", "Description"),
        "recipe": {"scale": scale, "area": area, "seed": seed, "margins": "exact"},
        "as_of": "2024-12-31",
        "hashes": {"spec": "", "statistics": "", "model": "", "inputs": ""},
        "generator": "0.1.0",
        "depends": depends or {},
        "tables": tables,
        "pairs": [
            {
                "table": tables[0]["name"],
                "columns": ["province_code", "sex"],
                "fidelity": fidelity("calibrated"),
            }
        ],
        "sources": [
            {
                "table": "population_province_34",
                "title": "NSO tables",
                "publisher": "NSO",
                "year": "2020-2024",
                "terms": "facts",
            }
        ],
        "privacy": text("Không có người thật", "Nobody is real"),
        "licence": "CC-BY-4.0",
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
    os.utime(path, (time_s, time_s))
    return folder


def described(name, columns, size_bytes):
    n_rows = len(next(iter(columns.values())))
    file = {"path": f"{name}/part-00000.parquet", "rows": n_rows, "bytes": size_bytes, "sha256": ""}
    return {
        "name": name,
        "title": text("Bảng " + name, "Table " + name),
        "description": text("Mô tả", "Description"),
        "rows": n_rows,
        "content_hash": "ab" * 32,
        "key": [next(iter(columns))],
        "files": [file],
        "columns": [
            {
                "name": column,
                "type": "integer" if column == "age" else "text",
                "unit": "năm" if column == "age" else None,
                "title": text("Cột " + column, "Column " + column),
                "description": text("Mô tả", "Description"),
                "sensitivity": "none",
                "codes": None,
                "references": None,
                "fidelity": fidelity("calibrated" if column == "age" else "assumed"),
            }
            for column in columns
        ],
    }


def fidelity(status):
    calibrated = status == "calibrated"
    return {
        "status": status,
        "against": "population_province_34" if calibrated else None,
        "distance": 0.0125 if calibrated else None,
        "sampling": 0.02 if calibrated else None,
        "because": None if calibrated else text("chưa có số công bố", "nothing is published"),
    }
