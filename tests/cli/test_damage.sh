#!/usr/bin/env bash
# Small files of everything that is read, cut at up to 50 lengths, with up to 20 zeroed blocks, and with single bytes
# flipped: readers survive them, and every change in what carries a checksum is found. HG_FLIPS is the number of flipped
# bytes of each file (default 6; 2000 make 1e5 in all).
set -euo pipefail

/usr/bin/python3 -c 'import h5py' 2>/dev/null || { echo "skipped: python3-h5py is not installed"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
flips=${HG_FLIPS:-6}
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
"$HALOGRAFT" mock p.yml --set Output.folder=runs --set Mock.hydro=true --set Mock.zooms=1 --set 'Mock.mass_min=2e12 Msun' -q >log.txt 2>&1 ||
    { cat log.txt; exit 1; }
"$HALOGRAFT" match p.yml --set Output.folder=runs --set Zooms.regions=runs/regions_hydro.csv \
    --set 'Match.hydro_rule=even | / 2' -q >log.txt 2>&1 || { cat log.txt; exit 1; }
/usr/bin/python3 "$here/write_cases.py" "$work"
/usr/bin/python3 "$here/write_damage.py" "$work"
/usr/bin/python3 -B "$here/check_hbt.py" write "$work"
/usr/bin/python3 -B "$here/check_velociraptor.py" write
/usr/bin/python3 -B "$here/check_history.py" write "$work"
head -n 90 rockstar/hlist_1.00000.list >short.list
cp short.list rockstar_part.list
cp out/regions.csv regions_of.csv
printf '%s\n' 'Zooms: {files: [haloes.csv]}' 'Parent: {files: [haloes.csv]}' >common.yml
columns='columns: [m_bound, vmax], redshifts: [1]'
{ cat common.yml; echo "History: {files: [links.csv], mapping: links.yml, scale_table: scales.txt, $columns}"; } >links_of.yml
{ cat common.yml; echo "History: {files: [tree_0_0_0.dat], $columns}"; } >tree_of.yml
{ cat common.yml; echo "History: {files: ['tracks/011/SubSnap_011.{file}.hdf5'], h: 0.7, $columns}"; } >tracks_of.yml

# sanitizers say by a signal, as crashes do, where something is wrong
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:abort_on_error=1:allocator_may_return_null=1:detect_leaks=0
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-}:abort_on_error=1:print_stacktrace=1
mkdir made
cat >plan <<'PLAN'
verify catalogue out/galaxies.0.hdf5 out/galaxies.hdf5
verify catalogue out/galaxies.hdf5
verify catalogue shared/galaxies.hdf5
verify catalogue out/truth.0.hdf5 out/truth.hdf5
manifest xxh3 out/galaxies.xxh3
verify statistics out/statistics.hdf5
model model out/model.hdf5
grown trees made/model.trees-0-3.hdf5 made/model.hdf5
parts journal made/cat.journal.jsonl made/cat
trials journal made/search.hdf5.journal.jsonl made/search.hdf5
regions table regions_of.csv
pairs table runs/matches/mock_00_dmo.hdf5
pairs table lovell2022/match_0.csv
runs columns runs.csv columns.csv.gz gz.yml
read columns columns.csv.gz columns.csv.gz gz.yml
diff any out/galaxies.1.hdf5 out/galaxies.0.hdf5
inspect any runs/zooms/region_00_dmo.0.hdf5 runs/zooms/region_00_dmo.hdf5
inspect any rockstar_part.list
read halograft out/galaxies.1.hdf5 out/galaxies.hdf5
truth halograft out/truth.0.hdf5 out/truth.hdf5
members halograft runs/zooms/region_00_dmo_ids.hdf5
members gadget members_gadget.hdf5 members_gadget.hdf5 members_tab.hdf5
members gadget members_tab.hdf5 members_gadget.hdf5 members_tab.hdf5
members eagle members_eagle.hdf5 members_eagle.hdf5 members_eagle.hdf5
members hbt hydro/SubSnap_063.0.hdf5 hydro/SubSnap_063.{file}.hdf5
members ahf members.AHF_particles
members rockstar members.particles
history links links.csv links_of.yml
history scales scales.txt links_of.yml
history trees tree_0_0_0.dat tree_of.yml
history tracks tracks/011/SubSnap_011.0.hdf5 tracks_of.yml
read soap soap/zoom_0.hdf5
read eagle lovell2022/hydro_0.1.hdf5 lovell2022/hydro_0.{file}.hdf5
read lgadget3 lgadget3/subhalo_tab_270.0 lgadget3/subhalo_tab_270.{file}
read rockstar short.list
read rockstar out_1.list
read rockstar halos_1.0.ascii
read columns rockstar/zoom_1.list rockstar/zoom_1.list rockstar/zooms.yml
read columns columns.hdf5 columns.hdf5 columns.yml
read subfind subfind.hdf5
read gadget gadget.hdf5
read gadget swift.hdf5
read gadget gadget.0
read ahf ahf.AHF_halos
read hbt sorted.hdf5
read velociraptor plain.properties
read velociraptor text.properties.0 text.properties.{file}
PLAN
OMP_NUM_THREADS=1 timeout "${HG_LIMIT:-500}" "$HG_BUILD_DIR/tests/damage" "$flips" plan
