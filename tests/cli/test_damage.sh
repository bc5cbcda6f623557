#!/usr/bin/env bash
# Small files of every format, cut at 50 lengths, with 20 zeroed blocks, and with single bytes flipped: readers survive
# them, and every change in what halograft itself has written is found. HG_FLIPS is the number of flipped bytes of each
# file (default 6; 6000 make more than 1e5 in all).
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
flips=${HG_FLIPS:-6}
driver=$HG_BUILD_DIR/tests/damage
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >p.yml <<'YML'
Meta: {name: damage, seed: 3}
Mock: {box: 60 Mpc, mesh: 32, mass_min: 5e11 Msun, zooms: 3, zoom_radius: 8 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc,
       oracle: 0}
Features: {m200c: log10, vmax: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: 16}
Measure: {mesh: 16, pairs: false}
Output: {report: false, folder: out, rows_per_part: 400}
YML
"$HALOGRAFT" run p.yml -q >log.txt 2>&1 || { cat log.txt; exit 1; }
cp -r out shared
"$HALOGRAFT" apply p.yml --set Output.folder=shared --set Output.layout=shared --overwrite -q >log.txt 2>&1 || { cat log.txt; exit 1; }
/usr/bin/python3 "$here/write_cases.py" "$work"
/usr/bin/python3 "$here/write_damage.py" "$work"
/usr/bin/python3 -B "$here/check_hbt.py" write "$work"
/usr/bin/python3 -B "$here/check_velociraptor.py" write
head -n 90 rockstar/hlist_1.00000.list >short.list

# sanitizers say by a signal, as crashes do, where something is wrong
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:abort_on_error=1:allocator_may_return_null=1:detect_leaks=0
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:abort_on_error=1:print_stacktrace=1
bad=0
try() { # kind format file [what is opened [mapping]]
    timeout 3000 "$driver" "$1" "$2" "$3" "$flips" "${@:4}" 2>err.txt || { bad=1; cat err.txt; }
}
try verify catalogue out/galaxies.0.hdf5 out/galaxies.hdf5
try verify catalogue out/galaxies.hdf5
try verify catalogue shared/galaxies.hdf5
try verify statistics out/statistics.hdf5
try model model out/model.hdf5
try read halograft out/galaxies.1.hdf5 out/galaxies.hdf5
try read soap soap/zoom_0.hdf5
try read eagle lovell2022/hydro_0.1.hdf5 'lovell2022/hydro_0.{file}.hdf5'
try read lgadget3 lgadget3/subhalo_tab_270.0 'lgadget3/subhalo_tab_270.{file}'
try read rockstar short.list
try read columns rockstar/zoom_1.list rockstar/zoom_1.list rockstar/zooms.yml
try read columns columns.hdf5 columns.hdf5 columns.yml
try read subfind subfind.hdf5
try read gadget gadget.hdf5
try read gadget gadget.0
try read ahf ahf.AHF_halos
try read hbt sorted.hdf5
try read velociraptor plain.properties
try read velociraptor text.properties.0 'text.properties.{file}'
exit "$bad"
