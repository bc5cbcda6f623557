"""Models of other libraries: scikit-learn's forests both ways, and LightGBM's text files in.

All trees end up in halograft's layout: sibling pairs, depth first, float32 thresholds rounded towards minus
infinity, so that x <= threshold decides alike for every float32 x. Leaf means keep their double precision
in memory; a model file holds them as float32.
"""

import numpy as np

from .forest import Forest, ModelError, SPEC_TEXTS

FLOAT_MAX = np.finfo(np.float32).max


def round_down(values):
    """The largest float32 not above each value."""
    values = np.asarray(values, np.float64)
    single = np.clip(values, -FLOAT_MAX, FLOAT_MAX).astype(np.float32)
    with np.errstate(over="ignore"):
        below = np.nextafter(single, np.float32(-np.inf))
    return np.where(single > values, below, single).astype(np.float32)


def _spec(name, recipe="", unit=""):
    """The texts of a feature or target, with the recipe that makes it from columns."""
    pieces = [p.strip() for p in recipe.split("|")]
    transform = next((p for p in pieces if p in ("log10", "asinh", "signed_log")), "none")
    return dict(zip(SPEC_TEXTS, (name, unit, recipe or "none", transform)))


def _specs(given, default):
    """Specifications from a mapping of names to recipes, a list of names, or nothing."""
    given = dict.fromkeys(given, "") if isinstance(given, (list, tuple)) else given
    given = given or dict.fromkeys(default, "")
    if len(given) != len(default):
        raise ModelError(f"{len(given)} names were given for {len(default)} columns: {', '.join(given)}")
    return [_spec(name, recipe or "") for name, recipe in given.items()]


def _layout(left, right, feature, threshold, bits):
    """Nodes of one tree in halograft's layout.

    left, right, feature, threshold: shape (nodes), children below 0 in a leaf.
    Returns threshold and link of the nodes, and the old number of each leaf, in order.
    """
    n_leaf = int((left < 0).sum())
    t, link = np.empty(2 * n_leaf, np.float32), np.empty(2 * n_leaf, np.uint32)
    pattern, leaves, count = t.view(np.uint32), [], 2
    pattern[1], link[1] = 0x7FC00000, 1 << bits
    stack = [(0, 0)]
    while stack:
        old, new = stack.pop()
        if left[old] < 0:
            pattern[new], link[new] = 0x7FC00000 | len(leaves), new << bits
            leaves.append(old)
        else:
            t[new], link[new] = threshold[old], count << bits | int(feature[old])
            stack += [(right[old], count + 1), (left[old], count)]
            count += 2
    return t, link, np.array(leaves)


def _join(trees, n_feature):
    """Common arrays of all trees; each is (left, right, feature, threshold, value of each node)."""
    bits = 6 if n_feature <= 64 else 8
    laid = [_layout(*tree[:4], bits) for tree in trees]
    offsets = [np.concatenate([[0], np.cumsum([len(tree[k]) for tree in laid])]).astype(np.uint64) for k in (0, 2)]
    return {"node_offset": offsets[0], "leaf_offset": offsets[1],
            "threshold": np.concatenate([tree[0] for tree in laid]),
            "link": np.concatenate([tree[1] for tree in laid]),
            "leaf_mean": np.concatenate([tree[4][leaf[2]] for tree, leaf in zip(trees, laid)])}, bits


def _options(n_tree, bits, **given):
    options = {"trees": n_tree, "first_tree": 0, "splitter": 0, "bins": 256, "min_leaf": 1, "min_split": 2,
               "max_depth": 0, "redraw": 0, "scale_targets": 1, "leaf_mates_max": 64, "oob_trees_min": 1, "calibrate": 0, "max_features": 1.0,
               "min_gain": 0.0, "constant_step": 0.0, "bag": 0, "feature_bits": bits, "weight_unit": 1.0,
               "seed": "0"}
    options.update(given)
    return options


def _rows(y, n_target, residual=None):
    """Training rows of a model: numbered from 1, without groups; one row that nothing refers to stands for none."""
    y = np.zeros((1, n_target)) if y is None else y
    n = len(y)
    blank = np.full((n, n_target), np.nan) if residual is None else residual
    return {"object": np.arange(1, n + 1, dtype=np.uint64), "group": np.zeros(n, np.uint64),
            "parent": np.zeros(n, np.uint64), "target": y.astype(np.float32), "residual": blank.astype(np.float32),
            "shrink": np.ones(n, np.float32), "oob_trees": np.zeros(n, np.uint16), "weight": np.ones(n, np.uint32)}


def _scaling(y, n_target):
    zero, one = np.zeros(n_target), np.ones(n_target)
    if y is None:
        return {"centre": zero, "quantum": zero, "scale": one, "weight": one, "cost": one, "keep": zero}
    low, high = y.min(axis=0), y.max(axis=0)
    return {"centre": (low + high) / 2, "quantum": (high - low) / 2 / (2**23 - 1), "scale": y.std(axis=0),
            "weight": one, "cost": one, "keep": zero}


def _range(x, n_feature):
    if x is None:
        return np.tile(np.array([-FLOAT_MAX, FLOAT_MAX] * 2, np.float32), (n_feature, 1))
    order = np.sort(x, axis=0)
    places = (0, -1, int(np.floor(0.001 * (len(x) - 1))), int(np.ceil(0.999 * (len(x) - 1))))
    return np.stack([order[k] for k in places], axis=1)


def _list_rows(forest, x, cap):
    """List training rows per leaf, at most `cap` of them, evenly spaced."""
    mates, counts = [], []
    for t in range(forest.n_tree):
        leaf = forest.apply(x, t)
        n_leaf = int(forest.leaf_offset[t + 1] - forest.leaf_offset[t])
        order, count = np.argsort(leaf, kind="stable"), np.bincount(leaf, minlength=n_leaf)
        for rows in np.split(order, np.cumsum(count)[:-1]):
            rows = rows if len(rows) <= cap else rows[np.arange(cap) * len(rows) // cap]
            mates.append(rows)
            counts.append(len(rows))
    forest.mate = np.concatenate(mates).astype(np.uint32)
    forest.mate_offset = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)


def _assemble(trees, specs, xy, importance=None, divisor=0, **options):
    """A Forest from trees; with training rows (x, y) it can make leaf-value draws."""
    features, targets = specs
    arrays, bits = _join(trees, len(features))
    n_leaf = len(arrays["leaf_mean"])
    x, y = xy if xy is not None else (None, None)
    if xy is not None:
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float64)
        y = y[:, None] if y.ndim == 1 else y
        if y.shape != (len(x), len(targets)):
            raise ModelError(f"targets of shape {y.shape} do not fit {len(x)} rows and {len(targets)} targets")
    forest = Forest(
        features=features, targets=targets, range=_range(x, len(features)),
        mate_offset=np.zeros(n_leaf + 1, np.uint64), mate=np.zeros(0, np.uint32), row=_rows(y, len(targets)),
        scaling=_scaling(y, len(targets)), options=_options(len(trees), bits, **options),
        importance=np.zeros((len(trees), len(features))) if importance is None else importance,
        divisor=divisor, **arrays)
    if xy is not None:
        _list_rows(forest, x, int(forest.options["leaf_mates_max"]))
    return forest


# ---- scikit-learn ----
def from_sklearn(estimator, features=None, targets=None, rows=None):
    """Convert a fitted RandomForestRegressor or ExtraTreesRegressor.

    features, targets: names, or a mapping of names to recipes such as {"m200c": "log10"}, so that the
    program can make the features from a catalogue; rows: the training rows (x, y), for leaf-value draws.
    """
    if not hasattr(estimator, "estimators_") or not hasattr(estimator, "n_outputs_") or hasattr(estimator, "classes_"):
        raise ModelError(f"a {type(estimator).__name__} is no fitted forest of regression trees")
    n_feature = estimator.n_features_in_
    trees, importance = [], []
    for member in estimator.estimators_:
        tree = member.tree_
        trees.append((tree.children_left, tree.children_right, tree.feature, round_down(tree.threshold),
                      tree.value[:, :, 0]))
        importance.append(tree.compute_feature_importances(normalize=False))
    names = list(getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(n_feature)]))
    specs = _specs(features, names), _specs(targets, [f"y{i}" for i in range(estimator.n_outputs_)])
    return _assemble(trees, specs, rows, np.array(importance), min_leaf=max(int(estimator.min_samples_leaf), 1),
                     splitter=int(type(estimator).__name__ == "RandomForestRegressor"))


def to_sklearn(forest, kind=None):
    """Make a fitted scikit-learn forest with the same predictions, bit for bit.

    kind: "ExtraTreesRegressor" or "RandomForestRegressor"; None goes by the splitter.

    It takes transformed features. Impurities are not known and stay 0; node values above the leaves are
    means weighted with the listed rows.
    """
    from sklearn import ensemble, tree as sktree
    from sklearn.tree._tree import Tree

    member_kind = {"ExtraTreesRegressor": "ExtraTreeRegressor", "RandomForestRegressor": "DecisionTreeRegressor"}
    kind = kind or ("RandomForestRegressor" if forest.options["splitter"] else "ExtraTreesRegressor")
    result = getattr(ensemble, kind)(n_estimators=forest.n_tree, n_jobs=1)
    probe = sktree.DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0])
    result.estimators_ = []
    for t in range(forest.n_tree):
        nodes, values, depth = _sklearn_nodes(forest, t, probe.tree_.__getstate__()["nodes"].dtype)
        member = getattr(sktree, member_kind[kind])()
        member.n_features_in_, member.n_outputs_, member.max_features_ = forest.n_feature, forest.n_target, forest.n_feature
        member.tree_ = Tree(forest.n_feature, np.ones(forest.n_target, np.intp), forest.n_target)
        member.tree_.__setstate__({"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values})
        result.estimators_.append(member)
    result.n_features_in_, result.n_outputs_ = forest.n_feature, forest.n_target
    return result


def _sklearn_nodes(forest, tree, dtype):
    """Nodes and values of one tree as scikit-learn has them: children behind their parents, no gaps."""
    first, last = (int(v) for v in forest.node_offset[tree:tree + 2])
    base, bits = int(forest.leaf_offset[tree]), int(forest.options["feature_bits"])
    t, link = forest.threshold[first:last], forest.link[first:last]
    child, feature = (link >> np.uint32(bits)).astype(np.int64), link & np.uint32((1 << bits) - 1)
    is_leaf = np.isnan(t)
    leaf = base + (t.view(np.uint32) & np.uint32((1 << 22) - 1)).astype(np.int64)
    weight, depth = np.zeros(len(t)), np.zeros(len(t), np.int64)
    values = np.zeros((len(t), forest.n_target))
    count = np.maximum(np.diff(forest.mate_offset.astype(np.int64)), 1)
    weight[is_leaf] = count[leaf[is_leaf]]
    values[is_leaf] = forest.leaf_mean[leaf[is_leaf]]
    inner = np.flatnonzero(~is_leaf)
    for i in inner:
        depth[child[i]:child[i] + 2] = depth[i] + 1
    for i in inner[::-1]:
        pair = slice(child[i], child[i] + 2)
        weight[i] = weight[pair].sum()
        values[i] = weight[pair] @ values[pair] / weight[i]
    keep = np.arange(len(t)) != 1
    new = np.maximum(np.arange(len(t)) - 1, 0)
    nodes = np.zeros(len(t), dtype)
    nodes["left_child"] = np.where(is_leaf, -1, new[np.where(is_leaf, 0, child)])
    nodes["right_child"] = np.where(is_leaf, -1, new[np.where(is_leaf, 0, child + 1)])
    nodes["feature"], nodes["threshold"] = np.where(is_leaf, -2, feature), np.where(is_leaf, -2, t)
    nodes["n_node_samples"], nodes["weighted_n_node_samples"] = weight, weight
    return nodes[keep], np.ascontiguousarray(values[keep][:, :, None]), int(depth.max())


# ---- LightGBM ----
def _blocks(text):
    """Header and trees of a model text as dictionaries of words."""
    blocks, current = [], {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if line.startswith("end of trees"):
            break
        if line.startswith("Tree="):
            blocks.append(current)
            current = {}
        if equals:
            current[name] = value
        elif line.strip():
            current[line.strip()] = ""
    return [*blocks, current]


def _numbers(block, name, kind):
    return np.array(block.get(name, "").split(), kind)


def _lightgbm_tree(block):
    if int(block.get("num_cat", 0)) > 0 or int(block.get("is_linear", 0)) > 0:
        raise ModelError("LightGBM trees with categorical splits or linear leaves are not supported")
    value = _numbers(block, "leaf_value", np.float64)
    n = len(value)
    if n == 1:
        return np.array([-1]), np.array([-1]), np.array([0]), np.zeros(1, np.float32), value[:, None]
    kinds = _numbers(block, "decision_type", np.int64)
    missing = (kinds >> 2) & 3
    if (kinds & 1).any() or (missing == 1).any():
        raise ModelError("LightGBM trees with categorical splits or zeros taken as missing are not supported")
    left, right = _numbers(block, "left_child", np.int64), _numbers(block, "right_child", np.int64)
    n_inner = n - 1
    if not len(left) == len(right) == len(kinds) == n_inner:
        raise ModelError(f"a LightGBM tree with {n} leaves has {len(left)} splits")

    def number(child):
        return np.where(child < 0, n_inner + ~child, child)
    leaves = np.full(n, -1)
    threshold = np.concatenate([round_down(_numbers(block, "threshold", np.float64)), np.zeros(n, np.float32)])
    return (np.concatenate([number(left), leaves]), np.concatenate([number(right), leaves]),
            np.concatenate([_numbers(block, "split_feature", np.int64), np.zeros(n, np.int64)]), threshold,
            np.concatenate([np.zeros(n_inner), value])[:, None])


def read_lightgbm(path, features=None, targets=None):
    """Read a LightGBM text model of one target; it adds its trees up, unless it says average_output.

    Missing values are no matter: rows must be finite. The transform of the objective (exp, logistic) is
    not applied; models with one are refused.
    """
    with open(path, encoding="utf-8") as file:
        header, *blocks = _blocks(file.read())
    if "tree" not in header or not blocks:
        raise ModelError(f"'{path}' is not a LightGBM text model")
    if int(header.get("num_tree_per_iteration", 1)) != 1 or header.get("objective", "regression").split()[0] not in (
            "regression", "regression_l1", "huber", "fair", "quantile", "mape"):
        raise ModelError(f"'{path}' is no plain regression (objective '{header.get('objective', '')}')")
    if "sqrt" in header.get("objective", "").split():
        raise ModelError(f"'{path}' predicts the root of its target (reg_sqrt), which is not supported")
    specs = _specs(features, header["feature_names"].split()), _specs(targets, ["y"])
    divisor = 0 if "average_output" in header else 1
    return _assemble([_lightgbm_tree(block) for block in blocks], specs, None, divisor=divisor)


def as_mean(forest):
    """A model that adds trees up as one that takes their mean: leaves times the number of trees."""
    forest.leaf_mean = forest.leaf_mean * (forest.n_tree / forest.divisor)
    forest.divisor = forest.n_tree
    return forest
