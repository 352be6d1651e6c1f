"""One fit of a peer, MST or AIM of private-pgm, in an environment of its own.

    python private_peer.py NAME FOLDER MECHANISMS EPSILON DELTA MEGABYTES

FOLDER holds `codes.csv` and `domain.json`, and gets `drawn.csv` and `seconds.json`. MECHANISMS is the
folder of that name in a clone of github.com/ryan112358/private-pgm: its package `mbi` is installed
from the registry, which has no mechanisms.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from pathlib import Path

name, folder, mechanisms, epsilon, delta, megabytes = sys.argv[1:]
sys.path.insert(0, mechanisms)

import pandas as pd  # noqa: E402  (the peer's, after its folder is known)
from mbi import Dataset, Domain, MarkovRandomField  # noqa: E402

# Its default, rounding, breaks the independence that its own model has: rows are drawn instead.
MarkovRandomField.synthetic_data.__defaults__ = (None, "sample")


def whole(table, domain):
    """A data set of whole numbers."""
    return Dataset({name: table[name].to_numpy(dtype="int64") for name in domain}, domain)


codes = pd.read_csv(Path(folder) / "codes.csv")
domain = Domain.fromdict(json.loads((Path(folder) / "domain.json").read_text("utf-8")))
data = whole(codes, domain)
started = time.process_time()
if name == "MST":
    import mst

    mst.Dataset = whole  # it makes one of columns that pandas holds as objects
    found = mst.MST(data, float(epsilon), float(delta))
else:
    from aim import AIM

    pairs = [(pair, 1.0) for pair in itertools.combinations(domain, 2)]
    mechanism = AIM(float(epsilon), float(delta), max_model_size=float(megabytes), max_iters=300)
    _, found = mechanism.run(data, pairs, num_synth_rows=len(codes))
seconds = time.process_time() - started
found.df.to_csv(Path(folder) / "drawn.csv", index=False)
(Path(folder) / "seconds.json").write_text(json.dumps(seconds), "utf-8")
