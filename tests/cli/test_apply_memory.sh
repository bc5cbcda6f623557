#!/bin/bash
# Peak memory of apply does not grow with the size of the parent: four parts against twenty. (With one
# part there is nothing to read ahead or to write behind, so that would take less.)
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
if grep -q '^HG_SANITIZE:STRING=.' "$HG_BUILD_DIR/CMakeCache.txt"; then
    echo "SKIPPED: sanitizers keep freed memory"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"

/usr/bin/python3 - "$work" <<'END'
import sys
import h5py
import numpy as np
random = np.random.default_rng(1)
part = 1 << 18
for name, n in (("train", 20000), ("four", 4 * part), ("twenty", 20 * part)):
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
Output: {folder: "$work/out", rows_per_part: 262144}
END
peak() { # parent: resident MiB of one rank
    "${mpirun[@]}" -n 1 "$HALOGRAFT" apply "$work/p.yml" --overwrite --set "Parent.files=[$work/$1.hdf5]" 2>&1 |
        sed -n 's/.*counted, \([0-9]*\)\.[0-9] MiB resident.*/\1/p'
}
"${mpirun[@]}" -n 1 "$HALOGRAFT" train "$work/p.yml" -q --set "Parent.files=[$work/four.hdf5]"
few=$(peak four)
many=$(peak twenty)
echo "peak memory: $few MiB for four parts, $many MiB for twenty"
[ "$many" -le $((few + few / 10 + 8)) ]
