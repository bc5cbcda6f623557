#!/bin/bash
# Peak memory of apply does not grow with the size of the parent: one part against five.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

/usr/bin/python3 - "$work" <<'END'
import sys
import h5py
import numpy as np
random = np.random.default_rng(1)
part = 1 << 20
for name, n in (("train", 20000), ("one", part), ("five", 5 * part)):
    with h5py.File(f"{sys.argv[1]}/{name}.hdf5", "w") as file:
        file["id"] = np.arange(n)
        file["m"] = (1e11 * random.uniform(1, 100, n)).astype("f4")
        file["v"] = random.uniform(50, 500, n).astype("f4")
        if name == "train":
            file["star"] = (file["m"][()] * 0.01).astype("f4")
END
cat >"$work/map.yml" <<END
Header: {redshift: 0, h: 0.7, omega_m: 0.3}
Columns: {id: id, m200c: "m, Msun", vmax: "v, km/s"}
END
sed 's/}$/, stellar_mass: "star, Msun"}/' "$work/map.yml" | sed '1s/, stellar_mass.*}/}/' >"$work/train_map.yml"
cat >"$work/p.yml" <<END
Zooms: {files: ["$work/train.hdf5"], format: columns, mapping: "$work/train_map.yml"}
Parent: {format: columns, mapping: "$work/map.yml"}
Features: {m200c: log10, vmax: log10}
Targets: {stellar_mass: log10}
Model: {trees: 8}
Output: {folder: "$work/out"}
END
peak() { # parent: resident MiB of one rank
    "${mpirun[@]}" -n 1 "$HALOGRAFT" apply "$work/p.yml" --overwrite --set "Parent.files=[$work/$1.hdf5]" 2>&1 |
        sed -n 's/.*counted, \([0-9]*\)\.[0-9] MiB resident.*/\1/p'
}
"${mpirun[@]}" -n 1 "$HALOGRAFT" train "$work/p.yml" -q --set "Parent.files=[$work/one.hdf5]"
one=$(peak one)
five=$(peak five)
echo "peak memory: $one MiB for one part, $five MiB for five"
[ "$five" -le $((one + one / 10 + 8)) ]
