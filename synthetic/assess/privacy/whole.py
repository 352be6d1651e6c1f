"""The whole privacy evaluation of a synthetic table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from synthetic.assess.privacy.attack import Attack, Name, Privacy
from synthetic.assess.privacy.closest import copies, nearer, quantiles
from synthetic.assess.privacy.gower import Points, points
from synthetic.assess.privacy.inference import inference
from synthetic.assess.privacy.linkability import linkability, splits
from synthetic.assess.privacy.membership import Scores, density_ratio, membership
from synthetic.assess.privacy.neighbours import Seen, closest, look
from synthetic.assess.privacy.pairs import pair_ratios
from synthetic.assess.privacy.singling_out import singling_out
from synthetic.assess.privacy.targets import Targets, targets
from synthetic.assess.tables import Tables


def attacks(tables: Tables, *, seed: int, n_attacks: int = 2000) -> tuple[Attack, ...]:
    """All attacks alone, of `measure`."""
    return measure(tables, seed=seed, n_attacks=n_attacks).attacks


def measure(tables: Tables, *, seed: int, n_attacks: int = 2000) -> Privacy:
    """Attack up to n training records, and as many of the holdout, in every way.

    The same seed draws the same records. Without a holdout nothing is known of people who were in
    no training: no control, no risk, and what compares the two is left untold. Intervals take
    records as independent: they are too narrow where one person has many.
    """
    guessing, drawing, halving, shuffling = (
        np.random.default_rng(part) for part in np.random.SeedSequence(seed).spawn(4)
    )
    chosen = targets(tables, n_attacks, drawing)
    train, holdout, synthetic = points(tables)
    halves = splits(tables.train, halving)
    members = look(train.rows(chosen.train), synthetic, halves)
    others = None
    if holdout is not None:
        others = look(holdout.rows(chosen.holdout), synthetic, halves)
    found = [
        *singling_out(tables, n_attacks, guessing),
        *linkability(tables, halves, members, others),
        *inference(tables, chosen, members, others),
    ]
    if holdout is not None and others is not None:
        for scores in _scores(tables, chosen, train, holdout, members, others):
            found += membership(scores)
        found.append(nearer(synthetic.rows(chosen.synthetic), train, holdout))
    found.append(copies(tables, shuffling))
    return Privacy(
        attacks=tuple(found),
        distances=quantiles(
            members.nearest, None if others is None else others.nearest, len(train.columns)
        ),
        untold=() if others is not None else (Name.AUC, Name.TPR, Name.NEARER),
    )


def _scores(
    tables: Tables, chosen: Targets, train: Points, holdout: Points, members: Seen, others: Seen
) -> Iterator[Scores]:
    """The scores of members and of others; ratios only where a reference is left."""
    n = chosen.n_others
    yield Scores("closest record", -members.nearest, -others.nearest[:n])
    if not len(chosen.reference) or tables.holdout is None:
        return
    reference = holdout.rows(chosen.reference)
    yield Scores(
        "density ratio",
        density_ratio(members.nearest, closest(train.rows(chosen.train), reference)),
        density_ratio(others.nearest[:n], closest(holdout.rows(chosen.holdout[:n]), reference)),
    )
    yield Scores(
        "pair ratio",
        *pair_ratios(
            (tables.train.take(chosen.train), tables.holdout.take(chosen.holdout[:n])),
            tables.synthetic,
            tables.holdout.take(chosen.reference),
        ),
    )
