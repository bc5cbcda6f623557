#!/bin/bash
# match from outside: twins and partners of a small mock, the same bytes for 1 and 3 ranks, and clear errors.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
export OMP_NUM_THREADS=1
cd "$work"
cat >p.yml <<END
Mock: {box: 60 Mpc, mesh: 30, zooms: 2, zoom_radius: 10 Mpc, hydro: true, oracle: 0, periodic: 0 Mpc}
Zooms: {regions: out/regions_hydro.csv}
Match: {hydro_rule: "even | / 2", mass_shift: 0.074}
Features: {m_bound: log10, vmax: log10}
Targets: {stellar_mass: log10}
Model: {trees: 8}
Scatter: {method: none}
Output: {folder: out}
END

# expect CODE "part of the sentence" ARGUMENTS...
expect() {
    local code=$1 part=$2 said rc=0
    shift 2
    said=$("$HALOGRAFT" "$@" 2>&1) || rc=$?
    if [ "$rc" != "$code" ] || ! grep -qF -- "$part" <<<"$said"; then
        echo "FAILED ($rc instead of $code, or no \"$part\"): $*"
        echo "$said"
        exit 1
    fi
}

"$HALOGRAFT" mock p.yml -q
"$HALOGRAFT" match p.yml 2>log
grep -q 'haloes with galaxies: .* centrals have a partner' log
grep -q 'satellites have a partner' log
"$HALOGRAFT" match p.yml --to-parent -q
mkdir one && mv out/matches/* one/
"${mpirun[@]}" -n 3 "$HALOGRAFT" match p.yml -q
"${mpirun[@]}" -n 3 "$HALOGRAFT" match p.yml --to-parent -q
[ "$(find out/matches -type f | wc -l)" = 8 ]
for file in one/*; do
    cmp "$file" "out/matches/${file#one/}"
done
head -1 out/matches/mock_00_dmo.csv | grep -qx 'id,row,partner_id,partner_row,shared,shared_by_partner'

# training on pairs: the same model for 1 and 3 ranks
for features in dmo parent; do
    "$HALOGRAFT" train p.yml -q --set Zooms.features=$features --set Model.file=on_$features.hdf5
    "${mpirun[@]}" -n 3 "$HALOGRAFT" train p.yml -q --set Zooms.features=$features --set Model.file=again.hdf5 --overwrite
    "$HALOGRAFT" diff "out/on_$features.hdf5" out/again.hdf5
done
"$HALOGRAFT" apply p.yml -q --set Zooms.features=parent --set Model.file=on_parent.hdf5

expect 5 "exists" match p.yml
expect 2 "--to-parent is for 'match' alone" train p.yml --to-parent
expect 3 "Match.hydro_rule: 'half'" match p.yml --overwrite --set "Match.hydro_rule=half"
expect 4 "no file in column 'dmo' of the region table" match p.yml --overwrite --set Zooms.regions=out/regions.csv
expect 3 "match needs a region table" match p.yml --overwrite --set "Zooms.files=[out/parent.hdf5]" --set Zooms.regions=
expect 4 "'m_bond' (there is 'm_bound')" match p.yml --overwrite --set Match.mass=m_bond
sed 's/region_00_dmo_ids/region_01_dmo_ids/' out/regions_hydro.csv >out/mixed.csv
expect 4 "lists and catalogue do not belong together" match p.yml --overwrite --set Zooms.regions=out/mixed.csv \
    --set Match.least=1 --set Match.shared=0
sed 's/region_00_dmo_ids/missing/' out/regions_hydro.csv >out/missing.csv
expect 4 "zooms/missing.hdf5" match p.yml --overwrite --set Zooms.regions=out/missing.csv --set Match.ids=halograft
expect 4 "name it in Match.ids" match p.yml --overwrite --set Zooms.regions=out/missing.csv
head -20 one/mock_00_dmo.csv >few.csv
echo "999999,0,1,0,1,1" >>few.csv
sed '1s/$/,match/; 2s|$|,../few.csv|; 3s/$/,/' out/regions_hydro.csv >out/few_regions.csv
expect 4 "names halo 999999, which the catalogue with galaxies does not have" train p.yml --overwrite \
    --set Zooms.regions=out/few_regions.csv --set Zooms.features=dmo
rm -r out/matches
expect 4 "Zooms.features needs pairs of haloes (halograft match)" train p.yml --overwrite --set Zooms.features=dmo
expect 3 "needs a region table" train p.yml --overwrite --set Zooms.features=parent --set "Zooms.files=[out/parent.hdf5]" \
    --set Zooms.regions=
echo "match: all cases passed"
