"""Keyed random streams (Philox4x32-10) in numpy, word for word those of src/base/random.h.

A stream belongs to one object: its key mixes seed and lane, its counter holds the object's 64-bit id and
the purpose. Here one object of `Streams` holds the streams of many ids and advances any of them.
Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
"""

import numpy as np

BAG, DRAW_TREE, LEAF_MATE, LIBRARY = 3, 4, 5, 9
_GOLDEN = 0x9E3779B97F4A7C15
_LOW = np.uint64(0xFFFFFFFF)


def _u64(value):
    """Any integers as an array of 64 bits, negative ones in two's complement."""
    if isinstance(value, int):
        return np.array([value & 0xFFFFFFFFFFFFFFFF], np.uint64)
    return np.atleast_1d(value).astype(np.uint64)


def mix64(x):
    """Mix 64 bits into 64 bits, one to one (the finaliser of SplitMix64)."""
    x = _u64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def philox(key, counter):
    """One block of four words for each key (2 arrays) and counter (4 arrays), as uint64 below 2^32."""
    k0, k1 = (_u64(k) for k in key)
    c0, c1, c2, c3 = (_u64(c) for c in counter)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = ((p1 >> np.uint64(32)) ^ c1 ^ k0, p1 & _LOW,
                          (p0 >> np.uint64(32)) ^ c3 ^ k1, p0 & _LOW)
        k0 = (k0 + np.uint64(0x9E3779B9)) & _LOW
        k1 = (k1 + np.uint64(0xBB67AE85)) & _LOW
    return c0, c1, c2, c3


class Streams:
    """The streams of many ids; seed and lane are numbers or arrays of the same length."""

    def __init__(self, seed, lane, ids, purpose):
        key = mix64(_u64(seed) + np.uint64(_GOLDEN) * (_u64(lane) + np.uint64(1)))
        self.ids = _u64(ids)
        self.key = np.broadcast_to(key, self.ids.shape)
        self.purpose = purpose
        self.used = np.zeros(len(self.ids), np.int64)

    def words(self, rows):
        """The next 32-bit word of some streams."""
        key, ids, used = self.key[rows], self.ids[rows], self.used[rows]
        block = philox((key & _LOW, key >> np.uint64(32)),
                       (ids & _LOW, ids >> np.uint64(32), used // 4, np.full(len(ids), self.purpose)))
        self.used[rows] += 1
        return np.choose(used % 4, block)

    def below(self, rows, n):
        """Integers uniform in [0, n) from one word each."""
        return ((self.words(rows) * _u64(n)) >> np.uint64(32)).astype(np.int64)

    def uniform(self, rows):
        """Numbers uniform in [0, 1) from two words each."""
        high, low = self.words(rows) >> np.uint64(5), self.words(rows) >> np.uint64(6)
        return ((high << np.uint64(26)) | low).astype(np.float64) * 2.0**-53


# floor(2^32 P(X <= k)) for X ~ Poisson(1), k = 0, 1, ...
_POISSON = np.array([1580030168, 3160060337, 3950075421, 4213413783, 4279248373, 4292415291, 4294609777,
                     4294923276, 4294962463, 4294966817, 4294967252, 4294967292, 4294967295], np.uint64)


def bag_copies(bag, seed, tree, row, group):
    """Copies of training rows in the bags of trees: 1 without a bag, else Poisson(1) by row or group.

    bag: 0 none, 1 by row, 2 by group; tree, row, group: arrays of one length.
    """
    tree, row, group = np.broadcast_arrays(_u64(tree), _u64(row), _u64(group))
    if bag == 0:
        return np.ones(len(tree), np.int64)
    stream = Streams(seed, tree, row // np.uint64(4) if bag == 1 else group, BAG)
    if bag == 1:
        stream.used = (row % np.uint64(4)).astype(np.int64)
    return np.searchsorted(_POISSON, stream.words(np.arange(len(tree))), side="right")
