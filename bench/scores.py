"""Scores of predictions and drawn realisations against the truth, in numpy: an implementation of its own, apart from
src/stats.

Arrays: truth (n, targets), draw (draws, n, targets). Definitions: docs/science/scatter.md.
"""

import numpy as np


def jackknife(block, value):
    """A function of chosen rows, over all of them and its error from leaving out each block."""
    names = np.unique(block)
    left = np.array([value(block != b) for b in names])
    return value(block == block), np.sqrt((len(names) - 1) / len(names) * ((left - left.mean())**2).sum())


def energy_score(truth, draw, scale, pieces=4000):
    """Mean over rows of E|Y - y| - E|Y - Y'|/2, pairs of distinct draws; targets in units of `scale`."""
    m, n, _ = draw.shape
    total = 0.0
    for b in range(0, n, pieces):
        y, d = truth[b:b + pieces] / scale, draw[:, b:b + pieces] / scale
        total += np.sqrt(((d - y) ** 2).sum(axis=2)).sum() / m
        pair = sum(np.sqrt(((d[i + 1:] - d[i]) ** 2).sum(axis=2)).sum() for i in range(m - 1))
        total -= pair / (m * (m - 1))
    return total / n


def crps(truth, draw):
    """Mean CRPS of one target, shapes (n) and (draws, n), from sorted draws."""
    m = len(draw)
    order = np.sort(draw, axis=0)
    factor = 2 * np.arange(m) - m + 1.0
    return (np.abs(draw - truth).mean(axis=0) - (factor[:, None] * order).sum(axis=0) / (m * (m - 1))).mean()


def pit(truth, draw, seed=1):
    """Randomised PIT of one target: (#{Y < y} + u (#{Y = y} + 1)) / (m + 1)."""
    u = np.random.default_rng(seed).random(len(truth))
    return ((draw < truth).sum(axis=0) + u * ((draw == truth).sum(axis=0) + 1)) / (len(draw) + 1)


def ks_uniform(value):
    """Kolmogorov-Smirnov distance of values from the uniform distribution on (0, 1)."""
    v, n = np.sort(value), len(value)
    at = np.arange(n)
    return max((v - at / n).max(), ((at + 1) / n - v).max())


def coverage(value):
    """Shares of PIT values in [.16, .84] and [.025, .975]."""
    return ((value >= 0.16) & (value <= 0.84)).mean(), ((value >= 0.025) & (value <= 0.975)).mean()


def energy_distance(a, b, pieces=2000):
    """2 E|A - B| - E|A - A'| - E|B - B'| of two samples of points, shapes (n, k) and (m, k), distinct pairs."""
    def mean_distance(p, q, distinct):
        total = 0.0
        for first in range(0, len(p), pieces):
            d = p[first:first + pieces, None, :] - q[None, :, :]
            total += np.sqrt((d ** 2).sum(axis=2)).sum()
        return total / (len(p) * (len(q) - distinct))

    return 2 * mean_distance(a, b, 0) - mean_distance(a, a, 1) - mean_distance(b, b, 1)
