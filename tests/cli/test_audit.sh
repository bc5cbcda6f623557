#!/bin/bash
# verify passes what a run wrote and finds what was changed since; diff tells equal from other files; exit code 7.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"

cat >p.yml <<END
Meta: {name: audit, seed: 3}
Mock: {box: 60 Mpc, mesh: 32, mass_min: 3e11 Msun, zooms: 3, zoom_radius: 8 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc,
       oracle: 1}
Features: {m200c: log10, vmax: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: 24}
Measure: {mesh: 32}
Output: {report: false, rows_per_part: 500}
END
for n in 1 2; do
    "${mpirun[@]}" -n "$n" "$HALOGRAFT" run p.yml --set "Output.folder=r$n" -q >/dev/null
done

"${mpirun[@]}" -n 2 "$HALOGRAFT" verify r1/*.xxh3 r1/parent.hdf5 r1/truth.hdf5 r1/oracle.hdf5 r1/galaxies.hdf5 \
    r1/zooms/region_0?.hdf5 r1/model.hdf5 r1/statistics.hdf5 >all.txt
if grep WRONG all.txt; then exit 1; fi
[ "$(grep -c '^r1' all.txt)" -eq 13 ]

for file in parent truth galaxies model; do
    "$HALOGRAFT" diff "r1/$file.hdf5" "r2/$file.hdf5" | grep -q '  ok    same'
done
"$HALOGRAFT" diff r1/statistics.hdf5 r2/statistics.hdf5 --tolerance 1e-6

fails() { # words in stdout, command
    local words=$1 code=0
    shift
    "$@" >out.txt 2>err.txt || code=$?
    [ "$code" -eq 7 ] || { echo "exit code $code of $*"; cat out.txt err.txt; exit 1; }
    grep -q "$words" out.txt || { echo "no '$words' from $*"; cat out.txt err.txt; exit 1; }
    [ "$(grep -c 'error:' err.txt)" -eq 1 ]
}
fails "'SOAP/Catalogue/stellar_mass' is in 'r1/truth.hdf5' only" "$HALOGRAFT" diff r1/truth.hdf5 r1/parent.hdf5
fails 'Ranks' "$HALOGRAFT" diff r1/galaxies.hdf5 r2/galaxies.hdf5 --provenance
printf 'x' | dd of=r2/galaxies.1.hdf5 bs=1 seek=20000 conv=notrunc status=none
fails 'part 1 does not match its checksum' "${mpirun[@]}" -n 2 "$HALOGRAFT" verify r2/galaxies.hdf5
printf 'x' | dd of=r2/model.hdf5 bs=1 seek=20000 conv=notrunc status=none
fails 'its bytes do not match its checksum' "$HALOGRAFT" verify r2/model.hdf5
# whole files whose units are not what they say: a forgotten 1e10 and a forgotten h
for unit in '1e10 Msun' Msun/h; do
    cat >planted.yml <<END
Header: {box: 60 Mpc, h: 0.6774, a: 1, omega_m: 0.3089, omega_l: 0.6911, omega_b: 0.0486, sigma_8: 0.8159, n_s: 0.9667}
Columns:
  position: InputHalos/HaloCentre, Mpc
  m200c: SO/200_crit/TotalMass, $unit
  r200c: SO/200_crit/SORadius, Mpc
END
    "$HALOGRAFT" convert r1/parent.0.hdf5 --mapping planted.yml --out planted --overwrite -q
    "$HALOGRAFT" verify planted.hdf5 >out.txt
    [ "$(grep -c -e '  note  overdensity' -e '  note  abundance' out.txt)" -eq 2 ] || { cat out.txt; exit 1; }
done
"$HALOGRAFT" verify r1/parent.hdf5 >out.txt
[ "$(grep -c -e '  ok    overdensity' -e '  ok    abundance' -e '  ok    box' out.txt)" -eq 3 ] || { cat out.txt; exit 1; }
echo "audit: whole files pass, changed ones do not"
