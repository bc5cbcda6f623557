"""A reader of halograft's model files in numpy and h5py alone: predicts, and draws scatter.

An independent second implementation of docs/formats/model.md; its numbers equal the program's bit for
bit. `Forest` holds the arrays of a file; load() fills it, interchange.py makes it from other libraries'
models, and model_file.py writes it. Features and targets are the transformed ones; recipes.py computes
them from a catalogue.
"""

from dataclasses import dataclass, field

import h5py
import numpy as np

from .philox import DRAW_TREE, LEAF_MATE, LIBRARY, Streams, bag_copies
from .statistics import plain

FORMAT, VERSION = "halograft-model", 1
LEAF_MASK = (1 << 22) - 1
TREE_TRIES, MATE_TRIES, CLIMB_MAX = 64, 8, 64
LIBRARY_TRIES, LIBRARY_ROWS, LIBRARY_CLASSES = 64, 200, 16
METHODS = ("leaf-residual", "leaf-value", "library", "twins")
SHARE_BITS = 24
SPEC_TEXTS = ("name", "unit", "expression", "transform")
BAGS = ("none", "row", "group")


class ModelError(Exception):
    """A model that cannot be used; the text is one sentence for the user."""


@dataclass
class Prediction:
    """What predict() returns; arrays that were not asked for are None.

    mean, spread: shape (n, targets); draw: (draws, n, targets); outside, in_tails: (n, features), feature
    outside its training range, or its 0.1 and 99.9 per cent points; origin: (n), 0 new, 1 training row with
    its out-of-bag mean, 2 without one; quantile: (levels, n, targets); n_eff, n_group, domain: (n), see predict(); probability: (n,
    targets), of models of stages (stages.py).
    """

    mean: np.ndarray
    spread: np.ndarray
    outside: np.ndarray
    origin: np.ndarray
    in_tails: np.ndarray = None
    n_eff: np.ndarray = None
    n_group: np.ndarray = None
    domain: np.ndarray = None
    draw: np.ndarray = None
    quantile: np.ndarray = None
    probability: np.ndarray = None


@dataclass
class Forest:
    """All trees in common arrays and the training rows, named as in the file.

    The prediction is the sum over trees of `leaf_mean`, divided by `divisor` (the number of trees; 1 for
    models of other libraries that add trees up).
    """

    features: list
    targets: list
    range: np.ndarray
    node_offset: np.ndarray
    leaf_offset: np.ndarray
    threshold: np.ndarray
    link: np.ndarray
    leaf_mean: np.ndarray
    mate_offset: np.ndarray
    mate: np.ndarray
    row: dict
    scaling: dict
    importance: np.ndarray
    options: dict
    limit: np.ndarray = None
    meta: dict = field(default_factory=dict)
    divisor: float = 0

    def __post_init__(self):
        self.divisor = self.divisor or self.n_tree
        if self.limit is None:
            self.limit = np.full((2, 2 + self.n_target), np.nan)
        weight = self.row["weight"]
        self.is_weighted = bool((weight != weight[0]).any())
        parent = self.row["parent"]
        order = np.argsort(parent, kind="stable")
        self._lookup = order[parent[order] != 0]
        self._is_full = None

    @property
    def n_tree(self):
        return len(self.node_offset) - 1

    @property
    def n_target(self):
        return self.leaf_mean.shape[1]

    @property
    def n_feature(self):
        return len(self.range)

    @property
    def seed(self):
        return int(self.options["seed"])

    # ---- trees ----
    def apply(self, x, tree=None):
        """Leaf of each row in each tree, shape (n, trees); with `tree` (a number or one per row), (n)."""
        x = self._check(x)
        if tree is None:
            return np.stack([self._route(x, t) for t in range(self.n_tree)], axis=1)
        return self._route(x, tree)

    def _check(self, x):
        x = np.ascontiguousarray(x, np.float32)
        if x.ndim != 2 or x.shape[1] != self.n_feature:
            raise ModelError(f"rows have shape {x.shape}, but the model has {self.n_feature} features")
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            row, column = bad[0]
            raise ModelError(f"feature '{self.features[column]['name']}' of row {row} is {x[row, column]}")
        return x

    def _route(self, x, tree):
        bits = np.uint32(self.options["feature_bits"])
        mask = np.uint32((1 << int(bits)) - 1)
        base = np.broadcast_to(self.node_offset[tree].astype(np.int64), len(x))
        node, rows = np.zeros(len(x), np.int64), np.arange(len(x))
        while len(rows):
            at = base[rows] + node[rows]
            threshold, link = self.threshold[at], self.link[at]
            inner = ~np.isnan(threshold)
            rows, threshold, link = rows[inner], threshold[inner], link[inner]
            node[rows] = (link >> bits) + (x[rows, link & mask] > threshold)
        return (self.threshold[base + node].view(np.uint32) & np.uint32(LEAF_MASK)).astype(np.int64)

    # ---- predictions ----
    def predict(self, x, key=None, draws=0, seed=1, first_realisation=0, method="leaf-residual",
                training_rows=True, mates=0, moved_rows=False, domain=False, quantiles=(), classes=None):
        """Means, spreads, flags and draws of rows; see hg_forest_predict() in include/halograft/forest.h.

        x: shape (n, features), transformed; key: identity of each row, needed for draws; mates: fewest
        rows near a row to draw residuals from, 0 = a third of the root of the number of training rows; moved_rows:
        the out-of-bag means of training rows are computed anew, as x is not that of the training; domain:
        also how rows stand to the training rows: n_eff, the effective number of training rows behind a mean,
        n_group, the number of their groups, domain, 0 inside, 1 at the edge, 2 outside; quantiles: ascending
        levels of conditional quantiles; classes: number of a feature and the edges between the classes of it
        that have libraries of their own.
        """
        x = self._check(x)
        mean, spread = self._average(x)
        row = np.full(len(x), -1, np.int64)
        if training_rows and key is not None:
            row = self.find(key)
        origin = np.where(row < 0, 0, np.where(np.isnan(self.row["residual"][row, 0]), 2, 1)).astype(np.uint8)
        known = origin == 1
        unseen, spread[known] = self._unseen(x[known], row[known])
        mean[known] = unseen if moved_rows else self.oob_mean(row[known])
        outside = (x < self.range[:, 0]) | (x > self.range[:, 1])
        in_tails = (x < self.range[:, 2]) | (x > self.range[:, 3])
        result = Prediction(mean, spread, outside, origin, in_tails)
        if domain:
            result.n_eff, result.n_group = self._surround(*self._shares(x, row, known, self.domain_trees), len(x))
            result.domain = self._flag(result)
        if len(quantiles):
            pieces = [self._quantiles(x[at], row[at], known[at], quantiles)
                      for at in np.split(np.arange(len(x)), np.arange(1000, len(x), 1000))]
            result.quantile = np.concatenate(pieces, axis=1)
        if draws > 0:
            if key is None:
                raise ModelError("draws need the key of each row")
            if method != "leaf-value" and np.isnan(self.row["residual"][:, 0]).all():
                raise ModelError("the forest has no out-of-bag residuals: draw by method 'leaf-value'")
            least = 1 if method == "leaf-value" else mates or max(1, int(np.sqrt(len(self.row["object"])) / 3))
            if method in ("library", "twins"):
                result.draw = self._draw_classes(seed, range(first_realisation, first_realisation + draws), key, x, row, mean,
                                                 method, classes)
            else:
                result.draw = np.stack([self._draw(seed, first_realisation + d, key, x, row, mean, method, least)
                                        for d in range(draws)])
        return result

    def _average(self, x):
        total = np.zeros((len(x), self.n_target))
        square = np.zeros_like(total)
        centre = self.scaling["centre"]
        for t in range(self.n_tree):
            value = self.leaf_mean[int(self.leaf_offset[t]) + self._route(x, t)].astype(np.float64)
            total += value
            square += (value - centre) * (value - centre)
        total /= self.divisor
        if self.divisor != self.n_tree:
            return total, np.full_like(total, np.nan)
        offset = total - centre
        return total, np.sqrt(np.maximum(square / self.n_tree - offset * offset, 0))

    def find(self, key):
        """Training row whose parent key this is (the first where several), or -1."""
        key = np.asarray(key).astype(np.uint64)
        if not len(self._lookup):
            return np.full(len(key), -1, np.int64)
        parents = self.row["parent"][self._lookup]
        at = np.searchsorted(parents, key)
        hit = (at < len(parents)) & (parents[np.minimum(at, len(parents) - 1)] == key) & (key != 0)
        return np.where(hit, self._lookup[np.minimum(at, len(parents) - 1)], -1)

    def oob_mean(self, row):
        """Out-of-bag means of training rows, NaN where there are none."""
        return self.row["target"][row].astype(np.float64) - self.row["residual"][row].astype(np.float64)

    def _unseen(self, x, row):
        """Means and spreads of training rows over the trees that did not see them."""
        total, square, n = np.zeros((len(x), self.n_target)), np.zeros((len(x), self.n_target)), np.zeros((len(x), 1))
        centre = self.scaling["centre"]
        for t in range(self.n_tree):
            at = np.flatnonzero(self.is_oob(np.full(len(row), t), row))
            value = self.leaf_mean[int(self.leaf_offset[t]) + self._route(x[at], t)].astype(np.float64)
            total[at] += value
            square[at] += (value - centre) * (value - centre)
            n[at] += 1
        mean = total / n
        variance = square / n - (mean - centre) * (mean - centre)
        with np.errstate(all="ignore"):
            factor = (n * (self.n_tree - 1)) / ((n - 1) * self.n_tree)
            spread = np.sqrt(np.maximum(variance, 0) * factor)
        return mean, np.where((variance > 0) & (n > 1), spread, 0)

    # ---- surroundings ----
    @property
    def domain_trees(self):
        """Trees whose leaf-mates are looked at."""
        return min(max(self.n_tree // 4, 1), 16)

    def _shares(self, x, row, known, n_most):
        """Shares of training rows in the leaves of rows: (row of x, training row, share, tree), one entry per
        listed row; those of the first n_most trees, of known training rows of the first that did not see them."""
        used, entries = np.zeros(len(x), np.int64), []
        group_bag, parent, group = int(self.options["bag"]) == 2, self.row["parent"], self.row["group"]
        for t in range(self.n_tree):
            open_ = used < n_most
            open_[known] &= self.is_oob(np.full(int(known.sum()), t), row[known])
            at = np.flatnonzero(open_)
            if not len(at):
                continue
            used[at] += 1
            leaf = int(self.leaf_offset[t]) + self._route(x[at], t)
            begin = self.mate_offset[leaf].astype(np.int64)
            count = self.mate_offset[leaf + 1].astype(np.int64) - begin
            of, place = np.repeat(np.arange(len(at)), count), np.arange(count.sum())
            mate = self.mate[np.repeat(begin - np.cumsum(count) + count, count) + place].astype(np.int64)
            own = row[at][of]
            same = (own >= 0) & ((mate == own) | ((parent[own] != 0) & (parent[mate] == parent[own]))
                                 | (group_bag & (group[mate] == group[own])))
            weight = self.row["weight"][mate].astype(np.uint64) if self.is_weighted else np.ones(len(mate), np.uint64)
            weight[same] = 0
            total = np.zeros(len(at), np.uint64)
            np.add.at(total, of, weight)
            share = (weight << np.uint64(SHARE_BITS)) // np.maximum(total[of], np.uint64(1))
            some = share > 0
            entries.append((at[of[some]], mate[some], share[some], np.full(int(some.sum()), t)))
        columns = [np.concatenate(column) for column in zip(*entries)] if entries else [np.zeros(0, np.int64)] * 4
        return columns[0], columns[1], columns[2].astype(np.uint64), columns[3]

    def _add_shares(self, at, mate, share):
        """Shares summed over trees: (row of x, training row) ascending, and their shares."""
        n = len(self.row["object"])
        pair, place = np.unique(at * n + mate, return_inverse=True)
        joint = np.zeros(len(pair), np.uint64)
        np.add.at(joint, place, share)
        return (pair // n, pair % n), joint

    def _surround(self, at, mate, share, tree, n):
        """Effective number and number of groups of the training rows with shares; shares.c."""
        def sums(index, values):
            out = np.zeros(n, np.uint64)
            np.add.at(out, index, values)
            return out
        unit = float(1 << SHARE_BITS)
        pair, joint = self._add_shares(at, mate, share)
        trees = np.bincount(np.unique(at * self.n_tree + tree) // self.n_tree, minlength=n).astype(np.float64)
        with np.errstate(all="ignore"):
            own = sums(at, share * share).astype(np.float64) / (unit * unit) / trees
            both = sums(pair[0], joint * joint).astype(np.float64) / (unit * unit) / (trees * trees)
            pairs = np.where(trees > 1, (both - own / trees) / (1 - 1 / trees), own)
            n_eff = 1 / (own / self.n_tree + (1 - 1.0 / self.n_tree) * np.maximum(pairs, 0))
        names, number = np.unique(self.row["group"], return_inverse=True)
        groups = np.unique(pair[0] * len(names) + number[pair[1]]) // len(names)
        return np.where(trees > 0, n_eff, 0), np.bincount(groups, minlength=n).astype(np.int32)

    def _quantiles(self, x, row, known, levels):
        """Smallest values up to which training rows have the shares `levels`, shape (levels, n, targets)."""
        at, mate, share, _ = self._shares(x, row, known, self.n_tree)
        pair, joint = self._add_shares(at, mate, share)
        count = np.bincount(pair[0], minlength=len(x))
        first, has = np.cumsum(count) - count, count > 0
        result = np.full((len(levels), len(x), self.n_target), np.nan)
        for t in range(self.n_target):
            value = self.row["target"][pair[1], t]
            order = np.lexsort((value, pair[0]))
            total = np.cumsum(joint[order])
            before = np.concatenate([[np.uint64(0)], total])[first]
            upto = (total - np.repeat(before, count)).astype(np.float64)
            whole = upto[first[has] + count[has] - 1]
            for q, level in enumerate(levels):
                below = np.bincount(pair[0], upto < np.repeat(level * whole, count[has]), minlength=len(x))
                result[q, has, t] = value[order][first[has] + below[has].astype(np.int64)]
        return result

    def _flag(self, result):
        """0 inside, 1 at the edge of, 2 outside the training domain."""
        edge, outside = ((result.n_eff < limit[0]) | (result.n_group < limit[1]) | (result.spread > limit[2:]).any(axis=1)
                         for limit in self.limit)
        return np.where(outside | result.outside.any(axis=1), 2, edge.astype(int)).astype(np.uint8)

    # ---- scatter ----
    def is_oob(self, tree, row):
        """Whether training rows were out of the bags of trees."""
        if self._is_full is None:
            self._is_full = self._find_full()
        bag, first = int(self.options["bag"]), int(self.options["first_tree"])
        copies = bag_copies(bag, self.seed, first + np.asarray(tree), row, self.row["group"][row])
        return ~self._is_full[tree] & (copies == 0)

    def _find_full(self):
        """Trees whose bag came out empty, so that they were grown from all rows."""
        bag, first, n = int(self.options["bag"]), int(self.options["first_tree"]), len(self.row["object"])
        full = np.ones(self.n_tree, bool)
        if bag == 0:
            return ~full
        rows = np.arange(n) if bag == 1 else np.unique(self.row["group"], return_index=True)[1]
        for t in range(self.n_tree):
            for b in range(0, len(rows), 256):
                some = rows[b:b + 256]
                if bag_copies(bag, self.seed, first + t, some, self.row["group"][some]).any():
                    full[t] = False
                    break
        return full

    def _is_eligible(self, mate, own, method):
        parent = self.row["parent"]
        twin = (own >= 0) & ((mate == own) | (parent[mate] == parent[own]))
        return ~twin & ((method == "leaf-value") | ~np.isnan(self.row["residual"][mate, 0]))

    def _pick_tree(self, rows, own, trees):
        tree = trees.below(rows, self.n_tree)
        held = np.flatnonzero((own >= 0) & (self.row["oob_trees"][own] > 0))
        for k in range(TREE_TRIES + self.n_tree):
            held = held[~self.is_oob(tree[held], own[held])]
            if not len(held):
                break
            tree[held] = (trees.below(rows[held], self.n_tree) if k < TREE_TRIES
                          else (tree[held] + 1) % self.n_tree)
        return tree

    def _end_of_branch(self, node, side):
        """The first (side 0) or last (1) leaf of branches; `node` counts over all trees."""
        bits, node, rows = np.uint32(self.options["feature_bits"]), node.copy(), np.arange(len(node))
        start = self.node_offset[np.searchsorted(self.node_offset, node, side="right") - 1].astype(np.int64)
        while len(rows):
            rows = rows[~np.isnan(self.threshold[node[rows]])]
            node[rows] = start[rows] + (self.link[node[rows]] >> bits) + side
        return (self.threshold[node].view(np.uint32) & np.uint32(LEAF_MASK)).astype(np.int64)

    def _child(self, x, rows, node, start):
        link = self.link[node]
        right = x[rows, link & np.uint32((1 << int(self.options["feature_bits"])) - 1)] > self.threshold[node]
        return start + (link >> np.uint32(self.options["feature_bits"])) + right

    def _size(self, first, last):
        return np.where(first <= last, self.mate_offset[last + 1].astype(np.int64)
                        - self.mate_offset[first].astype(np.int64), 0)

    def _near(self, x, tree, least):
        """Training rows of each tree near each row: where they begin and how many, shapes (2, n); mates.c."""
        bits, n = np.uint32(self.options["feature_bits"]), len(x)
        tree = np.broadcast_to(np.asarray(tree), n)
        start, leaf0 = self.node_offset[tree].astype(np.int64), self.leaf_offset[tree].astype(np.int64)
        path, node, depth = [], start.copy(), np.zeros(n, np.int64)
        rows = np.flatnonzero(~np.isnan(self.threshold[node]))
        while len(rows):
            path.append(node.copy())
            node[rows] = self._child(x, rows, node[rows], start[rows])
            depth[rows] += 1
            rows = rows[~np.isnan(self.threshold[node[rows]])]
        path = np.array(path).reshape(len(path), n)
        first = leaf0 + self._end_of_branch(node, 0)
        last = first.copy()
        first2, last2 = leaf0 + 1, leaf0.copy()
        rows = np.flatnonzero((depth > 0) & (self._size(first, last) < least))
        for _ in range(CLIMB_MAX):
            if not len(rows):
                break
            depth[rows] -= 1
            above = path[depth[rows], rows]
            left = start[rows] + (self.link[above] >> bits)
            beside = np.where(node[rows] == left, left + 1, left)
            low, high = leaf0[rows] + self._end_of_branch(beside, 0), leaf0[rows] + self._end_of_branch(beside, 1)
            enough = self._size(first[rows], last[rows]) + self._size(low, high) >= least
            some = rows[enough]
            first2[some], last2[some] = self._narrow(x, some, beside[enough], (low[enough], high[enough]),
                                                     least - self._size(first[some], last[some]))
            rows, low, high = rows[~enough], low[~enough], high[~enough]
            first[rows], last[rows] = np.minimum(first[rows], low), np.maximum(last[rows], high)
            node[rows] = above[~enough]
            rows = rows[(depth[rows] > 0) & (self._size(first[rows], last[rows]) < least)]
        begin = np.stack([self.mate_offset[first], self.mate_offset[first2]]).astype(np.int64)
        return begin, np.stack([self._size(first, last), self._size(first2, last2)])

    def _narrow(self, x, rows, top, leaves, need):
        """The parts of branches on the way of rows through them, at most twice `need` rows or one leaf."""
        tree = np.searchsorted(self.node_offset, top, side="right") - 1
        start, leaf0 = self.node_offset[tree].astype(np.int64), self.leaf_offset[tree].astype(np.int64)
        first, last, top = leaves[0].copy(), leaves[1].copy(), top.copy()
        while True:
            at = np.flatnonzero(~np.isnan(self.threshold[top]) & (self._size(first, last) > 2 * need))
            if not len(at):
                return first, last
            left = start[at] + (self.link[top[at]] >> np.uint32(self.options["feature_bits"]))
            top[at] = self._child(x, rows[at], top[at], start[at])
            is_left = top[at] == left
            last[at[is_left]] = leaf0[at[is_left]] + self._end_of_branch(top[at[is_left]], 1)
            first[at[~is_left]] = leaf0[at[~is_left]] + self._end_of_branch(top[at[~is_left]], 0)

    def _mate_at(self, pool, at, k):
        """Rows number k of pools `at`."""
        begin, n = pool
        return self.mate[np.where(k < n[0, at], begin[0, at] + k, begin[1, at] + k - n[0, at])].astype(np.int64)

    def _pick_mate(self, pool, rows, own, mates, method):
        count = pool[1].sum(axis=0)
        picked = np.full(len(count), -1, np.int64)
        open_ = np.flatnonzero(count > 0)
        for _ in range(0 if self.is_weighted else MATE_TRIES):
            if not len(open_):
                return picked
            mate = self._mate_at(pool, open_, mates.below(rows[open_], count[open_]).astype(np.int64))
            good = self._is_eligible(mate, own[open_], method)
            picked[open_[good]] = mate[good]
            open_ = open_[~good]
        if len(open_):
            picked[open_] = self._weigh_mates(pool, open_, rows[open_], own[open_], mates, method)
        return picked

    def _weigh_mates(self, pool, open_, rows, own, mates, method):
        """One of the eligible mates of each pool in proportion to weight, or -1 where there is none."""
        count = pool[1].sum(axis=0)[open_]
        ends = np.cumsum(count)
        place = np.arange(ends[-1]) - np.repeat(ends - count, count)
        mate = self._mate_at(pool, np.repeat(open_, count), place)
        weight = self.row["weight"][mate].astype(np.int64) if self.is_weighted else np.ones(len(mate), np.int64)
        weight *= self._is_eligible(mate, np.repeat(own, count), method)
        total = np.cumsum(weight)
        before = np.concatenate([[0], total])[ends - count]
        share = total[ends - 1] - before
        picked, some = np.full(len(count), -1, np.int64), np.flatnonzero(share > 0)
        point = (mates.uniform(rows[some]) * share[some].astype(np.float64)).astype(np.int64)
        point = before[some] + np.minimum(point, share[some] - 1)
        picked[some] = mate[np.searchsorted(total, point, side="right")]
        return picked

    def _find_mates(self, seed, realisation, key, x, row, method, least):
        trees, mates = (Streams(seed, realisation, key, purpose) for purpose in (DRAW_TREE, LEAF_MATE))
        mate = np.full(len(x), -1, np.int64)
        for k in range(TREE_TRIES + self.n_tree):
            rows = np.flatnonzero(mate < 0)
            if not len(rows):
                break
            tree = (self._pick_tree(rows, row[rows], trees) if k < TREE_TRIES
                    else np.full(len(rows), k - TREE_TRIES))
            mate[rows] = self._pick_mate(self._near(x[rows], tree, least), rows, row[rows], mates, method)
        return mate

    def classes(self, feature, edges=()):
        """Classes by a feature the model keeps: at the edges given, or one for each value; library_rows.c."""
        if "class" not in self.row:
            raise ModelError("the model keeps no classes: train it with Scatter.library_by")
        if len(edges) == 0:
            value = np.unique(self.row["class"][~np.isnan(self.row["class"])]).astype(np.float64)
            edges = (value[:-1] + value[1:]) / 2
        if len(edges) >= LIBRARY_CLASSES:
            raise ModelError(f"{len(edges) + 1} classes are too many, at most {LIBRARY_CLASSES} are possible")
        return feature, np.asarray(edges, np.float64)

    def _draw_classes(self, seed, realisations, key, x, own, mean, method, classes):
        """Draws from the library of each row's class."""
        feature, edges = (0, np.zeros(0)) if classes is None else classes
        at = np.searchsorted(edges, x[:, feature].astype(np.float64), side="right")
        draw = np.empty((len(realisations), *mean.shape))
        for k in range(len(edges) + 1):
            some = np.flatnonzero(at == k)
            library = self._library(method, k, edges)
            for d, realisation in enumerate(realisations):
                draw[d, some] = self._draw_library(seed, realisation, key[some], own[some], mean[some], method, library)
        return draw

    def _library(self, method, which, edges):
        """Training rows of a class with a vector to lend, by their out-of-bag means of the first target; library.c."""
        has = ~np.isnan(self.row["residual"][:, 0])
        if len(edges):
            has &= np.searchsorted(edges, self.row["class"].astype(np.float64), side="right") == which
        if method == "twins":
            if "twin" not in self.row:
                raise ModelError("the model has no twin runs to draw from")
            has &= ~np.isnan(self.row["twin"][:, 0])
        rows = np.flatnonzero(has)
        if not len(rows):
            raise ModelError("the model has no twin runs to draw from")
        value = self.oob_mean(rows)[:, 0]
        order = np.argsort(value, kind="stable")
        return rows[order], value[order]

    def _draw_library(self, seed, realisation, key, own, mean, method, library):
        rows, value = library
        n, bins = len(rows), max(len(rows) // LIBRARY_ROWS, 1)
        place = np.searchsorted(value, mean[:, 0], side="left") * bins // (n + 1)
        first, last = place * n // bins, (place + 1) * n // bins
        stream = Streams(seed, realisation, key, LIBRARY)
        lender, open_ = np.full(len(mean), -1, np.int64), np.arange(len(mean))
        for _ in range(LIBRARY_TRIES):
            if not len(open_):
                break
            row = rows[first[open_] + stream.below(open_, (last - first)[open_])]
            good = self._is_eligible(row, own[open_], method)
            lender[open_[good]] = row[good]
            open_ = open_[~good]
        if method == "twins":
            scatter = self.row["twin"][lender].astype(np.float64)
            flip = (stream.words(np.arange(len(mean))) >> np.uint64(31)) > 0
            scatter[flip] = -scatter[flip]
        else:
            scatter = (self.row["shrink"][lender].astype(np.float64)[:, None]
                       * self.row["residual"][lender].astype(np.float64))
        scatter[lender < 0] = np.nan
        return scatter + mean

    def _kept(self, away):
        """Whether mates are farther than targets/keep, and how much of their deviation a draw keeps; mates.h."""
        keep = np.broadcast_to(self.scaling["keep"], away.shape)
        far, kept = away > keep, away.copy()
        kept[far] = np.where(away[far] <= 4 * keep[far], keep[far], np.maximum((8 * keep[far] - away[far]) / 4, 0))
        return far, kept

    def _draw(self, seed, realisation, key, x, row, mean, method, least):
        mate = self._find_mates(seed, realisation, key, x, row, method, least)
        if method == "leaf-value":
            draw = self.row["target"][mate].astype(np.float64)
        else:
            away = mean - self.oob_mean(mate)
            far, kept = self._kept(np.abs(away))
            moved = np.where(far, 1 - kept / np.where(far, np.abs(away), 1), 0)
            factor = 1 - moved * moved * (1 - self.row["shrink"][mate].astype(np.float64)[:, None])
            draw = np.where(moved > 0, mean - np.copysign(kept, away) + factor * self.row["residual"][mate].astype(np.float64),
                            self.row["target"][mate].astype(np.float64))
        draw[mate < 0] = np.nan
        return draw


def _specs(file, group, n):
    return [{text: str(plain(file[f"{group}/{i:03d}"].attrs[text])) for text in SPEC_TEXTS} for i in range(n)]


def read_meta(group):
    """The texts of a model."""
    texts = {name: str(plain(value)) for name, value in group.attrs.items()}
    texts.update((name, bytes(item[()]).decode("utf-8", "replace")) for name, item in group.items())
    return texts


def check_file(file, path):
    """Refuse what is no model, or a newer one."""
    if plain(file.attrs.get("format", "")) != FORMAT:
        raise ModelError(f"'{path}' is not a halograft model")
    if not 1 <= int(plain(file.attrs["version"])) <= VERSION:
        raise ModelError(f"'{path}' is a model of format version {plain(file.attrs['version'])}, "
                         f"this reader knows up to {VERSION}")


def load_stage(stage):
    """The forest in a group of a model file, without the model's texts."""
    leaf, row = stage["leaf"], {name: item[()] for name, item in stage["row"].items()}
    return Forest(
        features=_specs(stage, "features", len(stage["features/range"])),
        targets=_specs(stage, "targets", leaf["mean"].shape[1]),
        range=stage["features/range"][()],
        node_offset=stage["tree/node_offset"][()], leaf_offset=stage["tree/leaf_offset"][()],
        threshold=stage["node/threshold"][()], link=stage["node/link"][()],
        leaf_mean=leaf["mean"][()],
        mate_offset=np.concatenate([[0], np.cumsum(leaf["count"][()].astype(np.uint64))]).astype(np.uint64),
        mate=leaf["row"][()], row=row,
        scaling={name: stage[f"targets/{name}"][()]
                 for name in ("centre", "quantum", "scale", "weight", "cost", "keep")},
        importance=stage["tree/importance"][()], limit=stage["domain/limit"][()],
        options={name: plain(value) for name, value in stage.attrs.items()})
