"""What `explain` wrote, computed again: curves with the numpy reader of models, importances with scikit-learn's forests
and permutations on the same folds. Usage: check_explain.py FOLDER (test_explain.sh)."""

import csv
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.inspection import permutation_importance

sys.path.insert(0, str(Path(os.environ["HG_SOURCE"]) / "tools"))
from halograft_tools import stages  # noqa: E402

NAMES = ["a", "b", "copy", "c", "noise"]


def read(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def importances(path):
    """{(method, features): (value, error, share, share_error)}"""
    keys = ("value", "error", "share", "share_error")
    return {(r["method"], r["features"]): tuple(float(r[k]) if r[k] else np.nan for k in keys) for r in read(path)}


def curve(rows, name):
    """x, y, error of a curve."""
    rows = [r for r in rows if r["name"] == name]
    assert rows, name
    return tuple(np.array([float(r[k]) for r in rows]) for k in ("x", "y", "error"))


def check_haloes(folder):
    """Parts sum to the prediction, which the numpy reader gives too."""
    rows = read(folder / "explanation_haloes.csv")
    assert len(rows) == 40
    for r in rows:
        parts = sum(float(r[name]) for name in NAMES)
        assert abs(float(r["base"]) + parts - float(r["mean"])) < 1e-9, r


def check_curves(folder, x, model):
    """Partial dependence by its definition; a local effect as a sum of differences."""
    rows = read(folder / "explanation.csv")
    predict = lambda z: model.predict(z).mean[:, 0]  # noqa: E731
    for k in (0, 3):
        at, value, error = curve(rows, f"partial_dependence_y_{NAMES[k]}")
        assert len(at) == 6 and at[0] == x[:, k].min() and at[-1] == x[:, k].max() and (error > 0).all()
        moved = np.repeat(x[None], len(at), 0)
        moved[:, :, k] = at[:, None]
        np.testing.assert_allclose([predict(m).mean() for m in moved], value, rtol=0, atol=1e-9)
        bins = np.maximum(np.searchsorted(at, x[:, k]), 1)
        ends = [x.copy(), x.copy()]
        for end, step in zip(ends, (1, 0)):
            end[:, k] = at[bins - step]
        difference = predict(ends[1]) - predict(ends[0])
        sums = np.concatenate([[0], np.cumsum([difference[bins == b].mean() for b in range(1, len(at))])])
        sums -= (0.5 * (sums[bins] + sums[bins - 1])).mean()
        np.testing.assert_allclose(sums, curve(rows, f"accumulated_effect_y_{NAMES[k]}")[1], rtol=0, atol=1e-9)
    plane = np.array([curve(rows, f"partial_dependence_plane_y_a+c_{j}")[1] for j in range(6)])
    a, c = curve(rows, "partial_dependence_y_a")[0], curve(rows, "partial_dependence_y_c")[0]
    moved = x.copy()
    moved[:, 0], moved[:, 3] = a[2], c[4]
    assert abs(predict(moved).mean() - plane[4, 2]) < 1e-9
    effect = np.array([curve(rows, f"interaction_effect_plane_y_a+c_{j}")[1] for j in range(6)])
    fall = effect[-1, -1] - effect[-1, 0] - effect[0, -1] + effect[0, 0]
    assert 1 < fall < 2.4, fall  # 2 a c over the unit square, with the ends of trees cut off


def check_importances(found, one):
    """The noise is last, and what a copy takes."""
    for method in ("impurity", "permutation", "drop_column", "shapley"):
        values = {f: v[0] for (m, f), v in found.items() if m == method}
        shown = [f for f in values if method != "drop_column" or f not in ("b", "copy")]
        assert min(shown, key=values.get) == "noise", (method, values)
    value = lambda table, method, f: table[method, f][0]  # noqa: E731
    # Impurity: the two share what one has alone. Permutation: each has about half or less; together, what one has.
    both = value(found, "impurity", "b") + value(found, "impurity", "copy")
    assert abs(both / value(one, "impurity", "b") - 1) < 0.1
    assert abs(value(found, "impurity", "b") / both - 0.5) < 0.10
    alone = value(one, "permutation", "b")
    for f in ("b", "copy"):
        assert value(found, "permutation", f) < 0.5 * alone
        assert abs(value(found, "drop_column", f)) < 0.1 * alone
    assert abs(value(found, "permutation", "b+copy") / alone - 1) < 0.1
    assert value(found, "drop_column", "b+copy") > 0.3 * alone
    noise = found["permutation", "noise"]
    assert abs(noise[0]) < 0.02 * alone


def check_sklearn(found, x, y, fold):
    """Permutation importance of extremely randomised trees on the same folds: fall of R^2 times the variance."""
    value, error = np.zeros(len(NAMES)), np.zeros(len(NAMES))
    for k in range(5):
        train, test = fold != k, fold == k
        forest = ExtraTreesRegressor(n_estimators=20, min_samples_leaf=3, bootstrap=True, random_state=k, n_jobs=1)
        forest.fit(x[train], y[train])
        result = permutation_importance(forest, x[test], y[test], scoring="neg_mean_squared_error", n_repeats=4,
                                        random_state=k)
        value += result.importances_mean / 5
        error += result.importances_std**2 / 4 / 25
    for i, name in enumerate(NAMES):
        ours = found["permutation", name]
        print(f"permutation {name}: {ours[0]:.4f} +- {ours[1]:.4f}, scikit-learn {value[i]:.4f} +- {error[i]**.5:.4f}")
    # Ties between copies go to the first in halograft and to either in scikit-learn: compare their sum.
    for group in ((0,), (1, 2), (3,), (4,)):
        ours = [found["permutation", NAMES[i]] for i in group]
        both = np.sqrt(sum(v[1] ** 2 for v in ours) + error[list(group)].sum())
        assert abs(sum(v[0] for v in ours) - value[list(group)].sum()) < 4 * both + 1e-3, group


def check_pictures(folder):
    """The report knows all of it."""
    if importlib.util.find_spec("matplotlib") is None:
        print("pictures not drawn: no matplotlib")
        return
    from halograft_tools import figures, statistics  # noqa: E402, PLC0415
    names = [p.name for p in figures.draw_all(statistics.read(folder / "explanation.hdf5"))]
    assert names == ["importance_y", "dependence_y", "plane_y_a_c", "shapley_y"], names


def main():
    folder = Path(sys.argv[1])
    table = read(folder / "rows.csv")
    x = np.array([[float(r[n]) for n in NAMES] for r in table], np.float32)
    y, fold = np.array([float(r["y"]) for r in table]), np.array([int(r["fold"]) for r in table])
    found = importances(folder / "explanation_importance.csv")
    check_haloes(folder)
    check_curves(folder, x, stages.load(folder / "model.hdf5"))
    check_importances(found, importances(folder / "one_copy_importance.csv"))
    check_sklearn(found, x, y, fold)
    check_pictures(folder)


main()
