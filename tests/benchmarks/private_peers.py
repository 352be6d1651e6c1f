"""Peers beside ours on Adult, in one run: MST and AIM of private-pgm, where they install.

    git clone https://github.com/ryan112358/private-pgm
    uv run python -m tests.benchmarks.private_peers --mechanisms private-pgm/mechanisms
        [--peers MST AIM] [--epsilon 1] [--minutes 20] [--megabytes 2]

Each peer runs in an environment that uv makes for it alone (`uv run --no-project --with mbi==1.1.0`)
and is stopped after so many minutes. AIM's published size of 80 MB takes hours: `--megabytes` cuts
it. CPU seconds are of the fit and the drawing, imports left out; ours draws 48,842 rows, the peers as
many as they do by themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from tests.benchmarks import private_scores as scored
from tests.benchmarks.private import DELTA, DRAWN, drawn, one_run

PEER = Path(__file__).with_name("private_peer.py")
WITH = ["mbi==1.1.0", "pandas<2.3", "networkx", "scipy", "matplotlib"]


def told(name, seconds, codes, columns, sizes, data):
    """One line: CPU seconds, distances, and what is learnt of the income."""
    train, test, _, test_table = data
    distances = [scored.total_variation(codes, train, sizes, k) for k in (1, 2, 3)]
    area = scored.auc(codes, test, columns, test_table, "income")
    print(
        f"  {name:<16}{seconds:>9.1f} CPU-s  tv1 {distances[0]:.4f}  tv2 {distances[1]:.4f}  "
        f"tv3 {distances[2]:.4f}  auc {area:.3f}",
        flush=True,
    )


def run_peer(name, folder, args):
    """What a peer drew and its CPU seconds, or why there is nothing."""
    command = ["uv", "run", "--no-project", "--python", "3.11"]
    command += [part for package in WITH for part in ("--with", package)]
    command += ["python", str(PEER), name, str(folder), str(args.mechanisms.resolve())]
    command += [str(args.epsilon), str(DELTA), str(args.megabytes)]
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60 * args.minutes,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {args.minutes:g} minutes"
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1:]}"
    seconds = json.loads((folder / "seconds.json").read_text("utf-8"))
    return pd.read_csv(folder / "drawn.csv"), seconds


def as_texts(codes, levels):
    """Codes as the table that the targets are read from."""
    return pd.DataFrame(
        {name: pd.Categorical.from_codes(codes[name], levels[name]) for name in levels}
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mechanisms", type=Path, required=True)
    parser.add_argument("--peers", nargs="*", default=["MST", "AIM"], choices=["MST", "AIM"])
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--megabytes", type=float, default=2)
    args = parser.parse_args()
    if not (args.mechanisms / "mst.py").is_file():
        parser.error(f"{args.mechanisms} has no mst.py; name the folder mechanisms of a clone")
    whole = scored.load()
    tables = scored.split(whole)
    levels, text = scored.levels_of(whole), scored.spec_of(scored.levels_of(whole))
    data = (*(scored.encode(table, levels) for table in tables), *tables)
    sizes = scored.sizes_of(levels)
    print(f"Adult, epsilon {args.epsilon:g}, delta {DELTA:g}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables[0].to_parquet(folder / "train.parquet", index=False)
        for mode in ("fast", "default"):
            started = time.process_time()
            model, _ = one_run(folder / "train.parquet", text, mode, args.epsilon, folder)
            rows = drawn(model, DRAWN)
            seconds = time.process_time() - started
            told(f"ours, {mode}", seconds, scored.encode(rows, levels), rows, sizes, data)
        pd.DataFrame(data[0]).to_csv(folder / "codes.csv", index=False)
        (folder / "domain.json").write_text(json.dumps(sizes), "utf-8")
        for peer in args.peers:
            found = run_peer(peer, folder, args)
            if isinstance(found, str):
                print(f"  {peer:<16}{found}", flush=True)
                continue
            codes = {name: found[0][name].to_numpy() for name in sizes}
            told(peer, found[1], codes, as_texts(codes, levels), sizes, data)


if __name__ == "__main__":
    main()
