"""Interchange of models: the numpy reader against the program, scikit-learn both ways, LightGBM in.

Run by test_interchange.sh in a folder that holds the mock's parent; HALOGRAFT, HG_DATA and HG_SOURCE as for
all scripts. Equality is of bits unless a tolerance is given.
"""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

sys.path.insert(0, str(Path(os.environ["HG_SOURCE"]) / "tools"))
from halograft_tools import forest as forests  # noqa: E402
from halograft_tools import interchange, model_file, recipes, stages  # noqa: E402
from halograft_tools.philox import philox  # noqa: E402

WORK = Path(sys.argv[1])
TOOL = Path(os.environ["HG_SOURCE"]) / "tools" / "halograft-model"


def run(command, *settings, folder):
    line = [os.environ["HALOGRAFT"], command, str(WORK / "p.yml"), "--overwrite",
            *[word for s in (*settings, f"Output.catalogue={folder}", f"Scatter.quantiles={list(LEVELS)}") for word in ("--set", s)]]
    done = subprocess.run(line, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def tool(*arguments, code=0):
    done = subprocess.run([TOOL, *map(str, arguments)], text=True, capture_output=True, check=False)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout + done.stderr


def same(a, b, what):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape and a.dtype == b.dtype, (what, a.shape, b.shape, a.dtype, b.dtype)
    differ = (a != b) & ~((a != a) & (b != b))
    assert not differ.any(), (what, int(differ.sum()), a[differ][:3], b[differ][:3])


def refused(words, function, *arguments):
    try:
        function(*arguments)
    except forests.ModelError as error:
        assert words in str(error), error
        return
    raise AssertionError(f"not refused: {words}")


LEVELS = (0.025, 0.16, 0.5, 0.9)


def apply_by_numpy(model, columns, draws, method, classes=()):
    """Columns of the grafted catalogue, as float32."""
    key = recipes.keys_of(columns)
    result = model.predict(recipes.features_of(model, columns), key, draws=draws, seed=3, method=method, domain=True,
                           quantiles=LEVELS, **dict(classes))
    bits = 1 << np.arange(model.n_feature)
    output = {"origin": result.origin, "extrapolated": (result.outside @ bits).astype(np.int64),
              "in_tails": (result.in_tails @ bits).astype(np.int64), "n_eff": result.n_eff.astype(np.float32),
              "n_regions": result.n_group, "domain": result.domain}
    for t, recipe in enumerate(recipes.recipes_of(model.targets)):
        if not model.is_label[t]:
            output[f"{recipe.name}_mean"] = recipe.invert(result.mean[:, t]).astype(np.float32)
            output[f"{recipe.name}_spread"] = result.spread[:, t].astype(np.float32)
            for level, quantile in zip(("025", "16", "50", "90"), result.quantile):
                output[f"{recipe.name}_q{level}"] = recipe.invert(quantile[:, t]).astype(np.float32)
        if model.is_label[t] or model.has_hurdle[t]:
            output[f"{recipe.name}_probability"] = result.probability[:, t].astype(np.float32)
        for d in range(draws):
            name = f"{recipe.name}_draw{d + 1 if d else ''}"
            output[name] = recipe.invert(result.draw[d, :, t]).astype(np.float32)
    return output


def check_program():
    """The reader's catalogue is the program's in every fourth row, for all bags, weights and methods."""
    columns = {name: values[::4] for name, values in recipes.read_columns(WORK / "parent.hdf5").items()}
    cases = {"group": ["Model.bag=group"], "row": ["Model.bag=row", "Model.min_leaf=1"],
             "weighted": ["Model.weighted=true"], "leaf": ["Model.bag=group", "Scatter.method=leaf-value"],
             "none": ["Model.bag=none", "Scatter.method=leaf-value"], "few": ["Model.trees=1", "Model.bag=group"],
             "library": ["Scatter.method=library", "Targets.bh_mass=log10 | min 1e6 Msun | max 3e7 Msun"],
             "twins": ["Scatter.method=twins", "Scatter.library_by=central"],
             "library_after": ["Scatter.method=library", "Targets.sfr=log10 | hurdle | after stellar_mass",
                               "Scatter.library_by=m200c", "Scatter.library_edges=[12, 12.5]"],
             "best": ["Model.splitter=best", "Model.max_features=0.4"],
             "stages": ["Targets.sfr=log10 | hurdle | after stellar_mass", "Targets.gas_mass=log10 | hurdle 1e10 Msun",
                        "Targets.quenched=sfr / stellar_mass < 1e-11 | label | after gas_mass"]}
    for name, settings in cases.items():
        settings = [f"Model.file={name}.hdf5", *settings]
        draws = 0 if name == "few" else 3
        settings.append(f"Scatter.draws={draws}")
        run("train", *settings, folder=f"cat_{name}")
        run("apply", *settings, folder=f"cat_{name}")
        model = stages.load(WORK / f"{name}.hdf5")
        model_file.verify(model, WORK / f"{name}.hdf5")
        method = {"leaf": "leaf-value", "none": "leaf-value", "library": "library", "library_after": "library",
                  "twins": "twins"}.get(name, "leaf-residual")
        program = {name: values[::4] for name, values in recipes.read_columns(WORK / f"cat_{name}.hdf5").items()}
        classes = {"twins": {"library_by": "central"},
                   "library_after": {"library_by": "m200c", "library_edges": [12, 12.5]}}.get(name, {})
        ours = apply_by_numpy(model, columns, draws, method, classes)
        for column, values in ours.items():
            same(program[column], values, (name, column))
        first = model.stage[0].forest
        assert first.is_weighted == (name == "weighted") and first.options["splitter"] == (name == "best")
        if name == "stages":
            closed = program["sfr_draw"] == 0
            assert 0.02 < closed.mean() < 0.5 and set(np.unique(program["quenched_draw"])) == {0, 1}
            assert (closed == ~(program["sfr_draw"] > 0)).all() and "quenched_mean" not in program
        if name == "library":
            drawn = np.stack([program["bh_mass_draw"], program["bh_mass_draw2"], program["bh_mass_draw3"]])
            low, high = np.float32(1e6), np.float32(3e7)
            assert drawn.min() == low and drawn.max() == high and ((drawn > low) & (drawn < high)).mean() > 0.3
        if name == "twins":
            together = apply_by_numpy(model, columns, draws, method)
            assert not np.array_equal(together["stellar_mass_draw"], ours["stellar_mass_draw"])
            refused("no classes by 'm200c'", apply_by_numpy, model, columns, 1, "twins", {"library_by": "m200c"})
            first.row.pop("twin")
            refused("twin runs", apply_by_numpy, model, columns, 1, "twins")
        if name in ("group", "row"):
            assert set(np.unique(ours["domain"])) == {0, 1, 2} and ours["n_regions"].max() > 2
            assert (ours["stellar_mass_q16"] < ours["stellar_mass_q90"]).mean() > 0.9
            assert (ours["origin"] == 1).sum() > 50 and (ours["origin"] == 0).sum() > 500
            assert not np.array_equal(ours["stellar_mass_draw"], ours["stellar_mass_draw2"])


def check_streams():
    """Philox against the known answers of Random123."""
    top = 0xFFFFFFFF
    same(np.concatenate(philox([top] * 2, [top] * 4)),
         np.array([0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD], np.uint64), "philox of ones")
    same(np.concatenate(philox([0] * 2, [0] * 4)),
         np.array([0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8], np.uint64), "philox of zeros")


def check_files():
    """A copy written here has the same hash and gives the same catalogue; damage and foreign files are refused."""
    for name in ("group", "stages", "twins"):
        method, classes = ("twins", ["Scatter.library_by=central"]) if name == "twins" else ("leaf-residual", [])
        model = stages.load(WORK / f"{name}.hdf5")
        model_file.save(model, WORK / "copy.hdf5", overwrite=True)
        copy = stages.load(WORK / "copy.hdf5")
        assert model_file.verify(copy, WORK / "copy.hdf5") == model_file.model_hash(model)
        assert copy.meta == model.meta and copy.features == model.features and copy.targets == model.targets
        run("apply", "Model.file=copy.hdf5", "Scatter.draws=3", f"Scatter.method={method}", *classes, folder="cat_copy")
        assert (WORK / "cat_copy.0.hdf5").read_bytes() == (WORK / f"cat_{name}.0.hdf5").read_bytes()
    model_file.save(stages.load(WORK / "stages.hdf5"), WORK / "copy.hdf5", overwrite=True)
    assert "stage 4: labels for draws" in tool("show", WORK / "copy.hdf5")
    done = subprocess.run([os.environ["HALOGRAFT"], "inspect", WORK / "copy.hdf5"], text=True, capture_output=True, check=True)
    assert "stage 4, labels for draws: sfr\n" in done.stdout, done.stdout
    model = stages.load(WORK / "group.hdf5")
    model_file.save(model, WORK / "copy.hdf5", overwrite=True)
    whole = (WORK / "copy.hdf5").read_bytes()
    for at in (100, 800, len(whole) // 3, len(whole) // 2, len(whole) - 100):  # HDF5 must not meet any of them
        damaged = bytearray(whole)
        damaged[at] ^= 4
        (WORK / "damaged.hdf5").write_bytes(damaged)
        said = tool("verify", WORK / "damaged.hdf5", code=1)
        assert "is damaged: its bytes do not match" in said, said
    assert "not a halograft model" in tool("show", WORK / "parent.hdf5", code=1)
    assert "seal and content match" in tool("verify", WORK / "copy.hdf5")
    assert "24 trees" in tool("show", WORK / "copy.hdf5")
    refused("exists already", model_file.save, model, WORK / "copy.hdf5")
    refused("features", model.predict, np.zeros((2, 3), np.float32))
    refused("is nan", model.predict, np.full((1, model.n_feature), np.nan))
    output = tool("predict", WORK / "group.hdf5", WORK / "parent.hdf5", "--draws", 2, "--seed", 3)
    rows = np.genfromtxt(output.splitlines(), delimiter=",", names=True)
    program = recipes.read_columns(WORK / "cat_group.hdf5")
    same(rows["stellar_mass_draw2"].astype(np.float32), program["stellar_mass_draw2"], "command")


def check_to_sklearn():
    """scikit-learn predicts the same from a converted model, and converting back gives the same nodes."""
    columns = recipes.read_columns(WORK / "parent.hdf5")
    for name in ("group", "best", "few"):
        model = stages.load(WORK / f"{name}.hdf5").stage[0].forest
        x = recipes.features_of(model, columns)
        assert isinstance(interchange.to_sklearn(model), RandomForestRegressor if name == "best" else ExtraTreesRegressor)
        for kind in ("ExtraTreesRegressor", "RandomForestRegressor"):
            other = interchange.to_sklearn(model, kind)
            same(other.predict(x), model.predict(x).mean, (name, kind))
        back = interchange.from_sklearn(other)
        same(back.threshold.view(np.uint32), model.threshold.view(np.uint32), "threshold")
        for array in ("link", "node_offset", "leaf_offset"):
            same(getattr(back, array), getattr(model, array), array)
        same(back.leaf_mean.astype(np.float32), model.leaf_mean, "leaf means")


def check_from_sklearn():
    """A forest fitted by scikit-learn decides alike here and in the program."""
    rng = np.random.default_rng(1)
    columns = recipes.read_columns(WORK / "parent.hdf5")
    given = {"m200c": "log10", "vmax": "log10", "r_half": "log10"}
    x = np.stack([np.log10(columns[name].astype(np.float64)) for name in given], axis=1).astype(np.float32)
    y = np.stack([2 * x[:, 0] - 15 + rng.normal(size=len(x)) * 0.2, x[:, 1] + 6], axis=1)
    some = rng.permutation(len(x))[:800]
    for kind, targets in ((ExtraTreesRegressor, 2), (RandomForestRegressor, 1)):
        known = y[some, :targets] if targets > 1 else y[some, 0]
        other = kind(12, min_samples_leaf=2, random_state=1, n_jobs=1).fit(x[some], known)
        names = {"stellar_mass": "log10", "sfr": "log10 | floor 1e-4 Msun/yr"}
        names = dict(list(names.items())[:targets])
        model = interchange.from_sklearn(other, given, names, rows=(x[some], known))
        assert model.options["splitter"] == (kind is RandomForestRegressor)
        edge = np.nextafter(model.threshold[~np.isnan(model.threshold)][:300], np.float32(np.inf))
        probes = np.concatenate([x, np.stack([edge] * 3, axis=1), np.stack([-edge] * 3, axis=1)])
        same(model.predict(probes).mean.reshape(other.predict(probes).shape), other.predict(probes), kind.__name__)
        ours, theirs = model.apply(probes), other.apply(probes)
        for t in range(12):
            assert len(np.unique(np.stack([ours[:, t], theirs[:, t]]), axis=1).T) == len(np.unique(theirs[:, t]))
        name = f"sk{targets}"
        model_file.save(model, WORK / f"{name}.hdf5")
        run("apply", f"Model.file={name}.hdf5", "Scatter.method=leaf-value", "Scatter.draws=3", folder=f"cat_{name}")
        program = recipes.read_columns(WORK / f"cat_{name}.hdf5")
        loaded = stages.load(WORK / f"{name}.hdf5")
        for column, values in apply_by_numpy(loaded, columns, 3, "leaf-value").items():
            same(program[column], values, (name, column))
        expected = other.predict(x).reshape(len(x), -1)[:, 0]
        np.testing.assert_allclose(np.log10(program["stellar_mass_mean"].astype(np.float64)), expected, atol=2e-6)
        assert set(np.unique(program["stellar_mass_draw"])) <= set(
            (10.0 ** y[some, 0].astype(np.float32).astype(np.float64)).astype(np.float32))
    stump = interchange.from_sklearn(ExtraTreesRegressor(3).fit(np.zeros((4, 1)), [1, 1, 1, 1]))
    same(stump.predict(np.zeros((2, 1))).mean, np.ones((2, 1)), "trees of one leaf")
    refused("no fitted forest", interchange.from_sklearn, ExtraTreesRegressor())
    rounded = interchange.round_down(np.array([0.1, -0.1, 1e300, -1e300, 0.5]))
    assert (rounded.astype(np.float64) <= [0.1, -0.1, 1e300, np.inf, 0.5]).all() and rounded[4] == 0.5
    assert np.nextafter(rounded[0], np.float32(1)) > 0.1 and np.nextafter(rounded[1], np.float32(1)) > -0.1


LIGHTGBM = """tree
version=v3
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
objective=regression
feature_names=a b
{extra}

Tree=0
num_leaves=3
num_cat=0
split_feature=1 0
threshold=0.5 -1.25
decision_type={decision} 2
left_child=1 -1
right_child=-2 -3
leaf_value=10 20 30

Tree=1
num_leaves=1
num_cat=0
leaf_value=0.5

end of trees

feature_importances:
a=1
"""


def check_lightgbm():
    """A text model with an answer by hand, its import for the program, and what is refused."""
    x = np.array([[-1.25, 0.5], [-1.0, 0.5], [-9.0, 0.6], [3.0, -7.0]], np.float32)
    path = WORK / "model.txt"
    path.write_text(LIGHTGBM.format(extra="", decision=2), encoding="utf-8")
    summed = interchange.read_lightgbm(path)
    same(summed.predict(x).mean[:, 0], np.array([10.5, 30.5, 20.5, 30.5]), "sum of trees")
    refused("added up", model_file.save, summed, WORK / "summed.hdf5")
    tool("import-lightgbm", path, WORK / "lgbm.hdf5", "--feature", "vmax=vmax / 100", "--feature", "central=",
         "--target", "stellar_mass=log10")
    imported = stages.load(WORK / "lgbm.hdf5")
    model_file.verify(imported, WORK / "lgbm.hdf5")
    same(imported.predict(x).mean[:, 0], np.array([10.5, 30.5, 20.5, 30.5]), "mean of trees")
    run("apply", "Model.file=lgbm.hdf5", "Scatter.method=none", folder="cat_lgbm")
    columns = recipes.read_columns(WORK / "parent.hdf5")
    expected = np.where(columns["central"] > 0.5, 20.5, np.where(columns["vmax"] / 100 <= -1.25, 10.5, 30.5))
    same(recipes.read_columns(WORK / "cat_lgbm.hdf5")["stellar_mass_mean"], (10.0**expected).astype(np.float32),
         "imported in the program")
    path.write_text(LIGHTGBM.format(extra="average_output", decision=2), encoding="utf-8")
    same(interchange.read_lightgbm(path).predict(x).mean[:, 0], np.array([5.25, 15.25, 10.25, 15.25]), "average")
    for decision, extra, words in ((3, "", "categorical"), (6, "", "zeros taken as missing"),
                                   (2, "objective=binary sigmoid:1", "binary"), (2, "num_tree_per_iteration=3", "plain")):
        path.write_text(LIGHTGBM.format(extra=extra, decision=decision), encoding="utf-8")
        refused(words, interchange.read_lightgbm, path)
    path.write_text(LIGHTGBM.format(extra="", decision=2), encoding="utf-8")
    refused("names were given", interchange.read_lightgbm, path, ["a"])


def check_published():
    """TNG300 models of arXiv:2201.06054 on ten public centrals: the sums its authors' library gives."""
    folder = Path(os.environ.get("HG_DATA", "")) / "references"
    if not (folder / "tng300_lgbm_raw_stellar_mass.txt").exists():
        print("SKIPPED: the published LightGBM models are not in HG_DATA/references")
        return
    sample = recipes.read_columns(folder / "tng300_centrals_sample10.csv")
    mean = (11.56402166, 1.01631081, 0.04940789, 1.32597217, 2.96404967)
    std = (0.46291709, 0.15845161, 0.02893565, 0.6149362, 2.88140351)
    names = ("M_h", "C_h", "S_h", "z_h", "Delta3_h")
    given = {name: f"({name} - {m}) / {s}" for name, m, s in zip(names, mean, std)}
    model = interchange.read_lightgbm(folder / "tng300_lgbm_raw_stellar_mass.txt", given, {"smass": ""})
    result = model.predict(recipes.features_of(model, sample)).mean[:, 0]
    np.testing.assert_allclose(result, [9.001642, 8.921610, 10.361119, 10.081014, 9.621176, 10.913185, 9.931820,
                                        10.486855, 8.880257, 8.973013], atol=1e-6)
    assert abs(np.sqrt(np.mean((result - sample["smass"])**2)) - 0.1163) < 5e-5
    for other, column, rms in (("sSFR", "sSFR", 0.8918), ("color", "color", 0.2061), ("radius", "radius", 0.1114)):
        model = interchange.read_lightgbm(folder / f"tng300_lgbm_raw_{other}.txt", given, {column: ""})
        result = model.predict(recipes.features_of(model, sample)).mean[:, 0]
        assert abs(np.sqrt(np.mean((result - sample[column])**2)) - rms) < 5e-5, (other, rms)
    print("published LightGBM models: ten values to 1e-6, four rms values")


for check in (check_streams, check_program, check_files, check_to_sklearn, check_from_sklearn, check_lightgbm,
              check_published):
    check()
    print("passed:", check.__name__)
