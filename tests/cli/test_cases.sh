#!/bin/bash
# The parameter files of the science cases, each on small files in exactly its formats: trained and applied by the
# program with nothing changed but where files are, and the catalogue holds what the parent's haloes should have.
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
params=$here/../../params
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
/usr/bin/python3 "$here/write_cases.py" "$work"

cat >"$work/common.yml" <<END
Features: {m_dm: log10, vmax: log10, metals: z_star | none}
Targets: {stellar_mass: log10}
Output: {folder: $work/out/common}
END

cat >"$work/check.py" <<'END'
"""Predictions follow the law of write_cases.py, and bound masses are those it wrote: units and rows are right."""
import sys
import h5py
import numpy as np

case, wanted = sys.argv[1], float(sys.argv[2])
work = sys.argv[0].rsplit("/", 1)[0]
truth = np.load(f"{work}/truth.npz")
truth = truth[case if case in truth else "lovell2022"]
with h5py.File(f"{work}/out/{case}/galaxies.0.hdf5") as file:
    star = file["SOAP/Predicted/stellar_mass"][()]
    mass = file["BoundSubhalo/TotalMass"][()]
assert len(mass) == len(truth) and np.allclose(np.sort(mass), np.sort(truth), rtol=6e-3), (mass, truth)
use = np.isfinite(star)
assert use.sum() > 1000, use.sum()
off = np.log10(star[use] / (1e-2 * mass[use] * (mass[use] / 1e12) ** 0.33))
print(case, use.sum(), "median %.3f spread %.3f" % (np.median(off), off.std()))
assert abs(np.median(off) - wanted) < 0.05 and off.std() < 0.35, (np.median(off), off.std())
END

go() { # shift case folder parent settings...: train and apply a parameter file, mean log10 M* off by the shift
    local off=$1 case=$2 zooms=$work/$3 parent=$work/$4
    shift 4
    for command in train apply; do
        OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" "$command" "$params/$case.yml" \
            --set "Zooms.regions=$zooms/regions.csv" --set "Parent.files=[\"$parent\"]" --set Model.trees=16 \
            --set "Output.folder=$work/out/$case" "$@" >"$work/log_$command" 2>&1 ||
            { echo "$case: $command"; cat "$work/log_$command"; exit 1; }
    done
    /usr/bin/python3 "$work/check.py" "$case" "$off"
}

go 0 lovell2022 lovell2022 'lovell2022/parent.{file}.hdf5'
go 0 lovell2022_pmillennium lovell2022 'lgadget3/subhalo_tab_{snap:03d}.{file}' --snap 270 \
    --set 'Parent.box=60 Mpc' --set 'Parent.particle_mass=1e8 Msun'
go 0 flares flares 'flares/parent.{file}.hdf5'
grep -q 'effective' "$work/log_train" || { echo "no effective number of regions"; cat "$work/log_train"; exit 1; }
go 0 swift_soap soap 'soap/halo_properties_{snap:04d}.hdf5' --snap 77
go 0 uchuu_rockstar rockstar rockstar/hlist_1.00000.list --set Zooms.format=columns \
    --set "Zooms.mapping=$work/rockstar/zooms.yml" --set 'Parent.keep=[m_bound, m_peak, host_id]'

# what zooms and parent share, and the shift that baryons make
for factor in auto none; do
    OMP_NUM_THREADS=1 "${mpirun[@]}" -n 2 "$HALOGRAFT" features --common "$work/common.yml" \
        --set "Zooms.regions=$work/lovell2022/regions.csv" --set "Parent.files=[\"$work/lovell2022/parent.{file}.hdf5\"]" \
        --set Parent.baryon_factor=$factor >"$work/common_$factor.txt" 2>"$work/log" || { cat "$work/log"; exit 1; }
done
/usr/bin/python3 - "$work" <<'END'
import sys
for factor, shift_of in (("auto", {"m_dm": 0, "vmax": 0}), ("none", {"m_dm": -0.074, "vmax": 0})):
    text = open(f"{sys.argv[1]}/common_{factor}.txt").read()
    line = {words[0]: words for words in map(str.split, text.splitlines()) if words}
    assert ("times 0.8428" in text) == (factor == "auto") and "feature 'metals' needs 'z_star'" in text, text
    assert "m_bound" in text.split("only in the parent:")[0] and "sfr" in text.split("not in the parent:")[1], text
    for name, wanted in shift_of.items():  # the zooms are spheres of the parent: the same law on both sides
        n_zoom, n_parent, shift, scatter, ks, moved, noise = map(float, line[name][1:])
        assert n_zoom > 40 and n_parent > 400 and abs(shift - wanted) < 0.02, (factor, line[name])
        assert (ks < 0.25) == (wanted == 0), (factor, line[name])
END

# dark matter masses of a hydrodynamical run stand for 1/(1 - Omega_b/Omega_m) times as much in the parent
cat >"$work/baryons.yml" <<'END'
Meta: {name: baryons, seed: 1}
Features: {m_dm: log10}
Targets: {stellar_mass: log10}
Parent: {keep: [m_bound]}
Model: {min_leaf: 2, bag: row}
END
params=$work
go 0 baryons lovell2022 'lovell2022/parent.{file}.hdf5'
grep -q 'features see m_dm times 1 - Omega_b/Omega_m = 0.8428' "$work/log_apply" || { echo "no factor"; cat "$work/log_apply"; exit 1; }
go 0.099 baryons lovell2022 'lovell2022/parent.{file}.hdf5' --overwrite --set Parent.baryon_factor=none
