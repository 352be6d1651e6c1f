"""Cost and findings of the whole privacy evaluation on Adult, beside what was asked of it.

    uv run python -m tests.benchmarks.assess [--attacks 2000] [--epsilon 1] [--all]

39,074 training rows, 9,768 of holdout, and 48,842 drawn from a private fit. Reading and evaluation
run in a process of their own, on one thread; its CPU seconds and the peak of its memory are
printed. `--all` prints every attack.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ASK_S, ASK_MB = 40, 1024
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def prepare(folder, epsilon):
    """Write the three tables and their spec."""
    from tests.benchmarks import private_scores as scored
    from tests.benchmarks.private import DRAWN, drawn, one_run

    whole = scored.load()
    train, test = scored.split(whole)
    text = scored.spec_of(scored.levels_of(whole))
    (folder / "spec.toml").write_text(text, "utf-8")
    train.to_parquet(folder / "train.parquet", index=False)
    test.to_parquet(folder / "holdout.parquet", index=False)
    model, _ = one_run(folder / "train.parquet", text, "default", epsilon, folder)
    drawn(model, DRAWN).to_parquet(folder / "synthetic.parquet", index=False)


def evaluate(folder, n_attacks, every):
    """Read and evaluate, and tell what it took."""
    from synthetic.assess.privacy import measure
    from synthetic.assess.tables import read_tables

    parts = [folder / f"{name}.parquet" for name in ("train", "synthetic", "holdout")]
    tables = read_tables(*parts[:2], holdout=parts[2], spec=folder / "spec.toml")
    read = time.process_time()
    privacy = measure(tables, seed=1, n_attacks=n_attacks)
    seconds = time.process_time() - read
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for attack in privacy.attacks if every else ():
        print(f"  {attack.name:<38}{attack.variant[:32]:<34}{told(attack)}")
    print(f"start and read      {read:>8.1f} CPU-s")
    print(f"evaluation          {seconds:>8.1f} CPU-s  ask <= {ASK_S}: {met(seconds <= ASK_S)}")
    print(f"peak memory         {peak:>8.0f} MB     ask <= {ASK_MB}: {met(peak <= ASK_MB)}")
    print(f"{len(privacy.attacks)} attacks, {sum(a.n for a in privacy.attacks):,} trials")


def told(attack):
    control = attack.rate_control.value if attack.rate_control else float("nan")
    text = f"{attack.rate.value:.3f}  control {control:.3f}  guess {attack.rate_guess.value:.3f}"
    if attack.risk:
        text += f"  risk {attack.risk.value:+.3f} [{attack.risk.low:+.3f}, {attack.risk.high:+.3f}]"
    return text


def met(good):
    return "met" if good else "MISSED"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attacks", type=int, default=2000)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.folder:
        evaluate(args.folder, args.attacks, args.all)
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), args.epsilon)
        again = [sys.executable, "-m", "tests.benchmarks.assess", *sys.argv[1:]]
        subprocess.run([*again, "--folder", folder], env=os.environ | ONE_THREAD, check=True)


if __name__ == "__main__":
    main()
