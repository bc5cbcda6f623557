#!/usr/bin/python3
"""TNG100-1 centrals: extremely randomised trees of halograft beside scikit-learn's on the same rows.

No bag, 200 trees, min leaf 3, the same random 80/20 split, scaled targets; ten seeds each; R^2 and
rms on held-out rows, for all of them and above log M_DM = 11.4, where the cut in M* does not
truncate the target. Ends with the largest difference of the means in units of the seed scatter.

    bench/tng_vs_sklearn.py [--seeds 10] [--quick]
"""

import argparse

import h5py
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from common import SOURCE, halograft, need_data, table

H = 0.6774
TARGETS = {"stellar_mass": ("SubhaloMassStellar", 1e10 / H, "Msun"), "bh_mass": ("SubhaloMassBH", 1e10 / H, "Msun"),
           "gas_mass": ("SubhaloMassGas", 1e10 / H, "Msun"), "sfr": ("SubhaloSFR", 1.0, "Msun/yr")}


def load(file):
    with h5py.File(file) as data:
        x = np.stack([np.log10(data["SubhaloMassDM"][()].astype(float) * 1e10 / H),
                      np.log10(data["SubhaloVmax"][()].astype(float)),
                      np.log10(data["SubhaloVelDisp"][()].astype(float)),
                      np.log10(data["SubhaloHalfmassRad"][()].astype(float) / H / 1000),
                      np.sqrt((data["SubhaloVel"][()].astype(float) ** 2).sum(axis=1))], axis=1)
        y = {name: data[field][()].astype(float) * factor for name, (field, factor, _) in TARGETS.items()}
        return data["SubhaloID"][()], x.astype(np.float32), y


def scores(truth, predicted):
    error = predicted - truth
    return 1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum(), np.sqrt((error**2).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    seeds = 3 if options.quick else options.seeds
    ids, x, y = load(need_data("tng100-1_z0_tables") / "centrals_Mstar_gt_0.1.h5")
    rows, worst = [], 0.0
    for target, (_, _, _) in TARGETS.items():
        use = y[target] > 0
        result = {}
        folder = SOURCE / "out" / f"tng_{target}"
        folder.mkdir(parents=True, exist_ok=True)
        params = folder / "params.yml"
        text = (SOURCE / "params" / "tng100_centrals.yml").read_text(encoding="utf-8")
        params.write_text(text.replace("  stellar_mass: log10", f"  {target}: log10"), encoding="utf-8")
        settings = ["--overwrite", "--set", f"Output.folder={folder}", "--set", "Model.bag=none",
                    "--set", f"Selection.train={target} > 0", "--set", f"Selection.apply={target} > 0",
                    "--set", "Scatter.method=none"]
        for seed in range(1, seeds + 1):
            halograft("train", params, *settings, "--seed", seed)
            halograft("apply", params, *settings, "--seed", seed)
            with h5py.File(folder / "galaxies.hdf5") as out:
                predicted = np.log10(out[f"SOAP/Predicted/{target}"][()].astype(float))
                origin = out["SOAP/Domain/Origin"][()]
                assert (out["InputHalos/HaloId"][()] == ids).all()
            train, test = use & (origin != 0), use & (origin == 0)
            truth = np.log10(y[target][use])
            scale = truth.std()
            model = ExtraTreesRegressor(200, min_samples_leaf=3, random_state=seed, n_jobs=2)
            model.fit(x[train], np.log10(y[target][train]) / scale)
            theirs = np.full(len(ids), np.nan)
            theirs[test] = model.predict(x[test]) * scale
            for cut, where in (("all", test), ("log M_DM > 11.4", test & (x[:, 0] > 11.4))):
                for name, values in (("ours", predicted), ("sklearn", theirs)):
                    result.setdefault((cut, name), []).append(scores(np.log10(y[target][where]), values[where]))
        for cut in ("all", "log M_DM > 11.4"):
            ours, theirs = np.array(result[(cut, "ours")]), np.array(result[(cut, "sklearn")])
            difference = ours - theirs  # the same rows seed by seed: the split's scatter cancels
            spread = difference.std(axis=0, ddof=1) / np.sqrt(seeds)
            sigma = np.abs(difference.mean(axis=0)) / spread
            worst = max(worst, sigma.max())
            rows.append([target, cut, f"{ours[:, 0].mean():.4f}", f"{theirs[:, 0].mean():.4f}",
                         f"{ours[:, 1].mean():.4f}", f"{theirs[:, 1].mean():.4f}",
                         f"{ours[:, 1].std(ddof=1):.4f}", f"{sigma[0]:.1f}", f"{sigma[1]:.1f}"])
    table(["target", "rows", "R2 ours", "R2 sklearn", "rms ours", "rms sklearn", "rms over seeds",
           "sigma R2", "sigma rms"], rows)
    print(f"tng_vs_sklearn ratio={worst:.2f} target=3.5 (largest paired difference in standard errors)")


if __name__ == "__main__":
    main()
