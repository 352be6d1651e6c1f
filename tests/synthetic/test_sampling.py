"""The error of sampling, against samples that are really drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from synthetic.evaluation.measured import apart, association
from synthetic.evaluation.sampling import Cells, Sampling

CHANCE = np.random.default_rng(5)


def clusters(n, shares, size, alike):
    """Counts by cluster and cell, where a row takes its cluster's first cell with chance `alike`."""
    first = CHANCE.choice(len(shares), n, p=shares)
    cells = CHANCE.choice(len(shares), (n, size), p=shares)
    cells = np.where(CHANCE.random((n, size)) < alike, first[:, None], cells)
    counts = np.zeros((n, len(shares)))
    np.add.at(counts, (np.arange(n)[:, None], cells), 1)
    return counts


def described(counts, shares, keys=None):
    matrix = sparse.csr_matrix(counts)
    keys = np.zeros(len(shares), dtype=np.intp) if keys is None else keys
    within = shares / np.bincount(keys, weights=shares)[keys]
    return Sampling(
        sparse.csr_matrix(matrix.T @ matrix), Cells(shares, within, keys), int(counts.sum())
    )


@pytest.mark.parametrize("n_cells", [2, 12, 150])
@pytest.mark.parametrize("alike", [0.0, 0.6])
def test_drawn_samples_lie_as_far_as_is_told(n_cells, alike):
    shares = CHANCE.dirichlet(np.full(n_cells, 3.0))
    told = described(clusters(1_000, shares, 4, alike), shares)
    seen = []
    for _ in range(200):
        counts = clusters(1_000, shares, 4, alike)
        seen.append(np.abs(counts.sum(axis=0) / counts.sum() - shares).sum() / 2)
    assert np.mean(seen) == pytest.approx(told.expected, rel=0.15)
    assert np.quantile(seen, 0.99) == pytest.approx(told.limit, rel=0.25)
    assert told.effect == pytest.approx(math.sqrt(1 + 3 * alike**2), rel=0.2)
    assert sum(told.explains(far) for far in seen) >= 194
    # Judged without the covariances or with them: the limit is what counts.
    assert told.explains(told.limit)
    assert not told.explains(1.01 * told.limit)
    assert max(seen) < told.rarely


def test_rows_alike_in_a_cluster_err_more():
    shares = np.full(10, 0.1)
    one = described(clusters(3_000, shares, 4, 0.0), shares)
    same = described(clusters(3_000, shares, 4, 1.0), shares)
    assert one.effect == pytest.approx(1.0, abs=0.1)
    assert same.effect == pytest.approx(2.0, abs=0.1)  # four rows that count as one


@pytest.mark.parametrize(("n", "size"), [(3, 1), (20, 4), (100, 1)])
@pytest.mark.parametrize("n_cells", [2, 40])
def test_the_rare_limit_raises_no_alarm_at_any_size(n, size, n_cells):
    """Of a handful of rows too, where no error is normal: one alarm in 100,000 is the law."""
    shares = CHANCE.dirichlet(np.full(n_cells, 1.0))
    matrix = np.zeros((n_cells, n_cells))
    for _ in range(100):  # what the clusters are in the mean
        counts = clusters(n, shares, size, 0.5)
        matrix += counts.T @ counts / 100
    keys = np.zeros(n_cells, dtype=np.intp)
    told = Sampling(sparse.csr_matrix(matrix), Cells(shares, shares, keys), n * size)
    for _ in range(100):
        counts = clusters(n, shares, size, 0.5).sum(axis=0)
        assert np.abs(counts / counts.sum() - shares).sum() / 2 < told.rarely


def test_given_shares_have_the_variance_of_their_key():
    """The variances that are summed up sparsely are the diagonal of the whole covariance."""
    counts = clusters(400, CHANCE.dirichlet(np.full(6, 2.0)), 3, 0.5)
    shares, keys = counts.sum(axis=0) / counts.sum(), np.array([0, 0, 1, 1, 1, 2])
    told = described(counts, shares, keys)
    within = shares / np.bincount(keys, weights=shares)[keys]
    of_key = np.stack([counts[:, keys == k].sum(axis=1) for k in keys], axis=1)
    plain = np.square(counts - within * of_key).sum(axis=0) / counts.sum() ** 2
    assert told.expected == pytest.approx(np.sqrt(plain).sum() * math.sqrt(2 / math.pi) / 2)


def test_what_is_given_does_not_err():
    """Where a key has one cell its share is given, and nothing can differ."""
    shares = np.array([0.3, 0.3, 0.4])
    told = described(clusters(500, shares, 3, 0.5), shares, np.arange(3))
    assert told.expected == pytest.approx(0.0, abs=1e-9)
    assert told.explains(0.0)
    assert not told.explains(0.001)


def test_distances_and_associations():
    same = {("a", "x"): 0.5, ("b", "y"): 0.5}
    free = {(a, x): 0.25 for a in "ab" for x in "xy"}
    assert apart(same, free) == pytest.approx(0.5)
    assert association(same, 0, 1) == pytest.approx(1.0)
    assert association(free, 0, 1) == pytest.approx(0.0)
    assert association({("a", "x"): 1.0}, 0, 1) == 0.0
