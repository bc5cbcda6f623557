#!/usr/bin/env bash
# 2000 files with 64 open at a time at most; their headers in under 10 s of processor time. And one file of 1e10 rows that
# were never written: what a run over them would cost.
set -euo pipefail
if ! /usr/bin/python3 -c 'import numpy, h5py'; then
    echo "SKIPPED: /usr/bin/python3 has no numpy or h5py"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAIL: $*"
    exit 1
}

cat >write.py <<'P'
"""A group catalogue of Arepo in N files; every fourth holds nothing."""
import sys
import h5py
import numpy as np

folder, n_file = sys.argv[1], int(sys.argv[2])
full = [k for k in range(n_file) if k % 4 != 3]
for k in range(n_file):
    here = k % 4 != 3
    row = 2 * full.index(k) if here else 0
    with h5py.File(f"{folder}/tab.{k}.hdf5", "w", libver="earliest") as f:
        head = f.create_group("Header").attrs
        for name, one, total in (("Ngroups", 1, len(full)), ("Nsubgroups", 2, 2 * len(full))):
            head[name + "_ThisFile"] = np.int32(one if here else 0)
            head[name + "_Total"] = np.int32(total)
        head["NumFiles"] = np.int32(n_file)
        for name, value in (("Time", 1), ("Redshift", 0), ("BoxSize", 1e5), ("HubbleParam", 0.7),
                            ("Omega0", 0.3), ("OmegaLambda", 0.7)):
            head[name] = float(value)
        f.create_group("Parameters").attrs["UnitLength_in_cm"] = 3.085678e21
        group, sub = f.create_group("Group"), f.create_group("Subhalo")
        if here:
            group["GroupFirstSub"] = np.array([row], "i4")
            group["GroupNsubs"] = np.array([2], "i4")
            group["Group_M_Crit200"] = np.array([100 + k], "f4")
            sub["SubhaloGrNr"] = np.array([row // 2] * 2, "i4")
            sub["SubhaloPos"] = np.full((2, 3), 10.0 * k, "f4")
            sub["SubhaloMass"] = np.array([50 + k, 7], "f4")
            sub["SubhaloLen"] = np.array([k, k + 1], "i4")
P
mkdir a
/usr/bin/python3 -B write.py a 2000

(
    ulimit -n 64
    "$HALOGRAFT" inspect 'a/tab.{file}.hdf5' >log || fail "$(cat log)"
    "$HALOGRAFT" convert 'a/tab.{file}.hdf5' --out out/a --set 'Convert.columns=[m_bound, m200c, n_part]' 2>>log ||
        fail "$(cat log)"
)
grep -q "rows: 3000 in 2000 files" log || fail "$(cat log)"
/usr/bin/python3 -B - <<'P' || fail "the rows are not those that were written"
import sys
import h5py
import numpy as np
k = np.repeat([k for k in range(2000) if k % 4 != 3], 2)
with h5py.File("out/a.hdf5") as f:
    n_part = f["InputHalos/NumberOfBoundParticles"][:]
    m200c = f["SO/200_crit/TotalMass"][:]
    central = f["InputHalos/IsCentral"][:]
odd = np.arange(3000) % 2
sys.exit(not (np.array_equal(n_part, k + odd) and np.array_equal(central, 1 - odd)
              and np.allclose(m200c, (100 + k) * 1e10 / 0.7, rtol=1e-6)))
P

TIMEFORMAT='%U %S'
spent=$({ time "$HALOGRAFT" convert 'a/tab.{file}.hdf5' --out out/b --dry-run >log 2>&1; } 2>&1) || fail "$(cat log)"
echo "headers of 2000 files: $spent s (user, system)"
awk '{ exit !($1 + $2 < 10) }' <<<"$spent" || fail "headers of 2000 files took $spent s"

/usr/bin/python3 -B - <<'P'
import h5py
n = 10**10
with h5py.File("big.hdf5", "w") as f:
    for name, shape, kind in (("place", (n, 3), "f8"), ("id", (n,), "i8"), ("mass", (n,), "f4")):
        f.create_dataset(name, shape=shape, dtype=kind, chunks=(1 << 20, *shape[1:]))
P
cat >big.map <<'Y'
Header: {box: 1000 Mpc, redshift: 0, h: 0.7, omega_m: 0.3, omega_l: 0.7}
Columns: {id: id, position: 'place, Mpc', m200c: 'mass, Msun'}
Y
cat >big.yml <<'Y'
Zooms: {files: [big.hdf5], mapping: big.map}
Parent: {files: [big.hdf5], mapping: big.map}
Features: {m200c: log10}
Targets: {stellar_mass: log10}
Measure: {mesh: 1024}
Output: {folder: big, report: false}
Y
"$HALOGRAFT" run big.yml --dry-run >log 2>&1 || fail "$(cat log)"
grep -q "parent    10000000000 haloes in 9537 parts" log || fail "$(cat log)"
# positions alone take 24 bytes a row, their catalogue on disk and a training on all of them as much
awk '$1 ~ /^(train|apply|measure|run)$/ && NF > 3 { steps++; bad += !($2 > 228881) || !($3 > 0) || !($4 > 0) }
     $1 == "apply" { bad += !($3 > 228881) }
     END { exit bad > 0 || steps != 4 }' log || fail "$(cat log)"
echo "passed"
