"""What `validate` wrote, computed again from the table of held-out rows with scikit-learn and scipy: metrics, their
errors, and the baselines. Usage: check_validate.py FOLDER (test_validate.sh)."""

import csv
import sys
from pathlib import Path

import h5py
import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def read_rows(path):
    """The table as arrays; NaN where a cell is empty."""
    with open(path, encoding="utf-8") as file:
        rows = list(csv.reader(file))
    return {name: np.array([r[i] if name == "in_buffer_of" else float(r[i]) if r[i] else np.nan for r in rows[1:]])
            for i, name in enumerate(rows[0]) if name != "key"}


def read_scores(path):
    """{(target, method, rows, metric): (value, error)}"""
    with open(path, encoding="utf-8") as file:
        return {tuple(r[:4]): (float(r[4]), float(r[5]) if r[5] else np.nan) for r in list(csv.reader(file))[1:]}


def rmse(truth, guess, weight):
    return np.sqrt(metrics.mean_squared_error(truth, guess, sample_weight=weight))


def check_values(rows, scores, target, method, where, label):
    """Metrics of values of some rows."""
    use = np.isfinite(rows[target]) & np.isfinite(rows[f"{target}_mean"]) & where
    truth, weight = rows[target][use], rows["weight"][use]
    guess = rows[f"{target}_mean" if method == "forest" else f"{target} {method}"][use]
    error = guess - truth
    cov = np.cov(truth, guess, aweights=weight)
    expected = {"n": len(truth), "n_eff": weight.sum() ** 2 / (weight**2).sum(), "rmse": rmse(truth, guess, weight),
                "mae": metrics.mean_absolute_error(truth, guess, sample_weight=weight),
                "bias": np.average(error, weights=weight), "within": np.average(np.abs(error) < 0.2, weights=weight)}
    if cov[0, 0] > 0 and cov[1, 1] > 0:
        expected["r2"] = metrics.r2_score(truth, guess, sample_weight=weight)
        expected["explained"] = metrics.explained_variance_score(truth, guess, sample_weight=weight)
        expected["pearson"] = cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1])
    if len(set(weight)) == 1 and len(truth) > 2:
        expected["nmad"] = stats.median_abs_deviation(error) * 1.4826
        expected["spearman"] = stats.spearmanr(truth, guess)[0]
    if method == "forest":
        pit = rows[f"{target}_pit"][use]
        expected["pit_ks"] = stats.kstest(pit, "uniform").statistic
        expected["cover68"] = np.mean((pit >= 0.16) & (pit <= 0.84))
    for name, value in expected.items():
        found = scores[(target, method, label, name)][0]
        assert np.isclose(found, value, rtol=1e-6, atol=1e-7), (target, method, label, name, found, value)
    return use


def check_error(rows, scores, target, use):
    """The jackknife of the rms error over blocks."""
    blocks = [b for b in np.unique(rows["block"]) if (rows["block"][use] == b).any()]
    left = []
    for b in blocks:
        some = use & (rows["block"] != b)
        left.append(rmse(rows[target][some], rows[f"{target}_mean"][some], rows["weight"][some]))
    left = np.array(left)
    expected = np.sqrt((len(blocks) - 1) / len(blocks) * ((left - left.mean()) ** 2).sum())
    found = scores[(target, "forest", "all", "rmse")][1]
    assert np.isclose(found, expected, rtol=1e-4), (target, found, expected)


def check_resolution(path, scores):
    """Particles as light as before change nothing; 64 times heavier ones cost what they must."""
    with open(path, encoding="utf-8") as file:
        found = {(r["target"], float(r["factor"]), r["rows"], r["features"]): r for r in csv.DictReader(file)}
    for (target, factor, rows, features), r in found.items():
        kind = "brier" if target in ("quenched", "sfr open") else "rmse"
        expected = scores[(target, "forest", rows, kind)]
        value, error = float(r["rmse"]), float(r["rmse_error"] or "nan")
        assert factor >= 1 and 0 < float(r["kept"]) <= 1, r
        if factor == 1:
            assert np.isclose(value, expected[0] ** (0.5 if kind == "brier" else 1), rtol=1e-6), (target, rows, features)
            assert kind == "brier" or np.isclose(error, expected[1], rtol=1e-4, equal_nan=True), (target, rows, features)
    loss = [float(found[("stellar_mass", 64, "all", f"{a} on {b}")]["rmse"])
            for a, b in (("fine", "fine"), ("coarse", "coarse"), ("fine", "coarse"))]
    assert loss[0] * 1.02 < loss[1] < loss[2], loss
    assert found[("stellar_mass", 1, "all", "fine on fine")]["particle_mass"] == "150000000"
    assert float(found[("stellar_mass", 80, "all", "fine on fine")]["particle_mass"]) == 1.2e10


def check_labels(rows, scores):
    for target, truth in (("quenched", rows["quenched"]), ("sfr open", np.isfinite(rows["sfr"]).astype(float))):
        guess = rows["quenched_mean" if target == "quenched" else "sfr_probability"]
        weight = rows["weight"]
        expected = {"brier": np.average((guess - truth) ** 2, weights=weight),
                    "auc": metrics.roc_auc_score(truth, guess, sample_weight=weight),
                    "f1": metrics.f1_score(truth, guess >= 0.5, sample_weight=weight)}
        for name, value in expected.items():
            found = scores[(target, "forest", "all", name)][0]
            assert np.isclose(found, value, rtol=1e-6), (target, name, found, value)


def check_baselines(rows, target, ridge):
    """Baselines of one feature, the mass, fold by fold."""
    x = rows["mass"][:, None]
    models = {"line m_bound": LinearRegression(), "isotonic m_bound": IsotonicRegression(out_of_bounds="clip")}
    if ridge:
        models["ridge"] = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), Ridge(ridge))
    known = np.isfinite(rows[target])
    for name, model in models.items():
        for fold in np.unique(rows["fold"]):
            train, test = known & (rows["fold"] != fold), rows["fold"] == fold
            model.fit(x[train] if name != "isotonic m_bound" else x[train, 0], rows[target][train])
            guess = model.predict(x[test] if name != "isotonic m_bound" else x[test, 0])
            found = rows[f"{target} {name}"][test]
            # features are single precision in the program, nine digits in the table
            worst = np.abs(guess - found).max()
            assert np.quantile(np.abs(guess - found), 0.99) < 1e-4 and worst < 2e-2, (target, name, fold, worst)


def check_matching(rows, target):
    """Ranks are kept: predictions rise with the mass, within the values that trained."""
    for fold in np.unique(rows["fold"]):
        test = np.flatnonzero(rows["fold"] == fold)
        test = test[np.argsort(rows["mass"][test])]
        guess = rows[f"{target} matching m_bound"][test]
        train = rows[target][rows["fold"] != fold]
        assert (np.diff(guess) >= -1e-6).all()
        assert np.nanmin(train) - 1e-6 <= guess.min() and guess.max() <= np.nanmax(train) + 1e-6


def check_parent(folder, rows):
    """The comparison with the parent: shifts by scipy, and expected errors and intervals against the truth."""
    parent = read_rows(folder / "validation_parent_rows.csv")
    with open(folder / "validation_parent.csv", encoding="utf-8") as file:
        found = {tuple(r[:3]): float(r[3]) for r in list(csv.reader(file))[1:]}
    here, there = rows["mass"], parent["mass"]
    assert np.isclose(found[("feature", "m_bound", "ks")], stats.ks_2samp(here, there).statistic, atol=2e-4)
    assert np.isclose(found[("feature", "m_bound", "above")], (there > here.max()).mean(), atol=1e-9)
    at = (there >= 12) & (there < 12.5)
    assert np.isclose(found[("mass", "12 to 12.5", "share")], at.mean(), atol=1e-9)
    assert found[("mass", "12 to 12.5", "training_haloes")] == ((here >= 12) & (here < 12.5)).sum()
    assert np.isclose(found[("mass", "12 to 12.5", "outside")], (parent["domain"][at] == 2).mean(), atol=1e-9)
    expected = np.sqrt((parent["stellar_mass_error"][at] ** 2).mean())
    assert np.isclose(found[("expected", "stellar_mass at mass 12 to 12.5", "rmse")], expected, rtol=1e-6)
    assert 0.8 < parent["ratio"].mean() < 3 and (parent["stellar_mass_half68"] < parent["stellar_mass_half95"]).all()
    with h5py.File(folder / "truth.hdf5") as file:
        truth = np.log10(file["SOAP/Catalogue/stellar_mass"][()][parent["row"].astype(int)])
    error = np.abs(parent["stellar_mass_mean"] - truth)
    assert np.isclose(np.sqrt((error ** 2).mean()), np.sqrt((parent["stellar_mass_error"] ** 2).mean()), rtol=0.1)
    for share, half in ((0.68, "half68"), (0.95, "half95")):  # 3000 haloes of few regions
        assert abs((error <= parent[f"stellar_mass_{half}"]).mean() - share) < 0.04


def check_weights(folder):
    """Zooms that are too dense, galaxies that feel it and features that do not: the weights of the regions foretell the bias."""
    parent = read_rows(folder / "validation_parent_rows.csv")
    with h5py.File(folder / "truth.hdf5") as file:
        truth = np.log10(file["SOAP/Catalogue/stellar_mass"][()][parent["row"].astype(int)])
    bias, expected = (parent["stellar_mass_mean"] - truth).mean(), parent["stellar_mass_bias"].mean()
    print("bias in the parent", bias, "foretold", expected)
    assert bias > 0.1 and abs(expected - bias) < 0.4 * bias


def check_slabs(folder):
    """Four slabs of a box of 120 Mpc, across x, which is given as the mass; draws from libraries of two classes."""
    rows, scores = read_rows(folder / "slabs_rows.csv"), read_scores(folder / "slabs_scores.csv")
    order = np.argsort(rows["mass"])
    fold, x = rows["fold"][order], rows["mass"][order]
    assert (fold != np.roll(fold, 1)).sum() == 4 and len(set(fold)) == 4  # slabs begin at a random place
    assert all(np.ptp((x[fold == k] - x[fold == k][0] + 60) % 120) <= 30 for k in range(4))
    x, truth, near = rows["feature m_bound"], rows["stellar_mass"], np.char.split(rows["in_buffer_of"])
    for k in range(4):  # the line of a fold knows the rows that neither it nor its buffer holds, and no others
        kept_out = np.array([str(k) in some for some in near])
        assert kept_out.any() and not kept_out[rows["fold"] == k].any()
        train, test = (rows["fold"] != k) & ~kept_out, rows["fold"] == k
        line = np.polyval(np.polyfit(x[train], truth[train], 1), x[test])
        assert np.allclose(rows["stellar_mass line m_bound"][test], line, rtol=1e-6)
    assert scores[("stellar_mass", "forest", "all", "pit_ks")][0] < 0.08
    assert abs(scores[("stellar_mass", "forest", "all", "cover68")][0] - 0.68) < 0.08


def main():
    folder = Path(sys.argv[1])
    rows, scores = read_rows(folder / "validation_rows.csv"), read_scores(folder / "validation_scores.csv")
    for region in np.unique(rows["region"]):
        assert len(set(rows["fold"][rows["region"] == region])) == 1
    assert len(set(rows["fold"])) == 5
    everything = np.ones(len(rows["mass"]), bool)
    for target in ("stellar_mass", "sfr", "gas_mass"):
        methods = {k[1] for k in scores if k[0] == target}
        assert len(methods) == 7, methods
        for method in methods:
            use = check_values(rows, scores, target, method, everything, "all")
        check_error(rows, scores, target, use)
        check_matching(rows, target)
        for region in np.unique(rows["region"])[:3]:
            check_values(rows, scores, target, "forest", rows["region"] == region, f"region {region:g}")
        mass = np.floor(rows["mass"] / 0.5) == 24
        check_values(rows, scores, target, "isotonic vmax", mass, "mass 12 to 12.5")
    check_labels(rows, scores)
    check_resolution(folder / "validation_resolution.csv", scores)
    check_baselines(rows, "stellar_mass", None)
    check_baselines(rows, "sfr", None)
    one = read_rows(folder / "one_rows.csv")
    assert (np.unique(one["fold"]) == np.arange(8)).all()  # leave one region out
    check_baselines(one, "stellar_mass", 50)
    assert scores[("stellar_mass", "forest", "all", "rmse")][0] < scores[("stellar_mass", "line m_bound", "all", "rmse")][0]
    kinds = {k[2].split(" ")[0] for k in scores}
    assert kinds == {"all", "mass", "centrals", "satellites", "overdensity", "region", "fold"}, kinds
    with h5py.File(folder / "validation.hdf5") as file:
        pit = file["curves/forest/pit_stellar_mass"]
        assert np.isclose(pit["y"][()].mean(), 1) and pit["count"][()].sum() == len(rows["mass"])
        assert file["maps/forest/residual_stellar_mass/counts"][()].sum() == len(rows["mass"])
        assert file["metrics/held_out_joint"].attrs["energy_distance"] < 0.2
        flags = [file[f"curves/{name}/parent_flags"] for name in ("at the edge", "outside", "lacking")]
        assert flags[0]["count"][()].sum() == len(read_rows(folder / "validation_parent_rows.csv")["row"])
        assert all((np.nan_to_num(f["y"][()]) <= 1).all() for f in flags)
        widths = [file[f"curves/{share} per cent/parent_interval_stellar_mass"]["y"][()] for share in (68, 95)]
        assert np.isfinite(widths[0]).sum() > 3 and (widths[0] < widths[1])[np.isfinite(widths[0])].all()
        assert abs(file["metrics/parent_vmax"].attrs["shift_at_mass"]) < 0.1
        assert "to learn from" in str(file["Provenance"].attrs["warning_1"])
    check_slabs(folder)
    check_parent(folder, rows)
    check_weights(folder / "biased")
    print("check_validate: metrics, errors and baselines are those of scikit-learn and scipy")


if __name__ == "__main__":
    main()
