#!/usr/bin/env bash
# design: proposes zooms on a mock, the same on 1 and 3 ranks; the mock runs them, and what cannot be designed is refused.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/support/cli.sh
. "$here/../support/cli.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
read -r -a mpirun <<<"$HG_MPIRUN"
small_universe design 2000
cat >>p.yml <<END
Design: {regions: 3, radii: [8 Mpc, 10 Mpc], gap: 1 Mpc, candidates: 150, peaks: 30, least: 1e10, thresholds: [1e10, 3e10],
         cost: content_mass / 1e14 Msun}
END
for step in mock train apply design; do
    "$HALOGRAFT" "$step" p.yml -q >said || fail "$step"
done
grep -q 'expected relative error, before and after' said
[ "$(wc -l <out/design_regions.csv)" = 4 ] || fail "not three regions"
cp -r out one
"${mpirun[@]}" -n 3 "$HALOGRAFT" design p.yml -q --overwrite >/dev/null
for file in design.hdf5 design.csv design_regions.csv design_hulls; do
    diff -r "one/$file" "out/$file" >/dev/null || fail "$file differs on three ranks"
done

# Errors fall with each region, hulls are points of the box near the region, and cost is what it should be.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { n++
      if (n > 1 && ($at["expected_mass_function_error"] > last || $at["expected_gain"] <= 0)) exit 1
      last = $at["expected_mass_function_error"]
      d = $at["cost"] * 1e14 / $at["content_mass"] - 1
      if (d * d > 1e-18 || $at["region"] != n + 3) exit 1 }' out/design_regions.csv || fail "the table is wrong"
awk '{ for (k = 1; k <= 3; k++) if ($k < 0 || $k >= 1) exit 1 } END { if (NR < 28) exit 1 }' \
    out/design_hulls/region_04.txt || fail "the hull is wrong"
"$HALOGRAFT" design p.yml -q --overwrite --set Design.hull=sphere >/dev/null 2>log
grep -q '3 of 3 hulls are no Lagrangian regions but spheres' log || fail "a sphere is not called one"
[ "$(wc -l <out/design_hulls/region_05.txt)" = 200 ] || fail "no sphere"

# The memory that a dry run names, 40 MiB of it for libraries, is what a design counts; too little is refused.
many=(--set Design.candidates=20000 --set Design.cost=1)
named=$("$HALOGRAFT" design p.yml --dry-run "${many[@]}" 2>/dev/null | sed -n 's/^design *\([0-9]*\) MiB.*/\1/p')
"$HALOGRAFT" design p.yml --overwrite "${many[@]}" >/dev/null 2>log
counted=$(sed -n 's/.*peak memory per rank \([0-9]*\).* counted.*/\1/p' log)
echo "$((named - 40)) MiB named, $counted counted"
[ $((100 * (named - 40))) -ge $((85 * counted)) ] || fail "the dry run names too little"
[ $((100 * (named - 40))) -le $((115 * counted)) ] || fail "the dry run names too much"
refuse 6 "'design' would take $named MiB per rank" design p.yml --dry-run "${many[@]}" --set 'Run.memory_max=20 MiB'
refuse 4 "design needs a model, which 'train' makes" design p.yml --dry-run --set Model.file=none.hdf5

# The mock makes the proposed zooms, of the same universe.
"$HALOGRAFT" mock p.yml -q --set Mock.zoom_table=one/design_regions.csv --set Output.folder=next
"$HALOGRAFT" diff out/parent.hdf5 next/parent.hdf5 >/dev/null || fail "another universe"
for column in 6 7 8 9; do
    cmp <(cut -d, -f$((column - 2)) one/design_regions.csv) <(cut -d, -f"$column" next/regions.csv) ||
        fail "column $column of the regions"
done
"$HALOGRAFT" train p.yml -q --set Zooms.regions=next/regions.csv --set Output.folder=next

refused() { # CODE "part of the sentence" SETTINGS...
    local code=$1 part=$2 words=()
    shift 2
    for setting in "$@"; do words+=(--set "$setting"); done
    refuse "$code" "$part" design p.yml --overwrite "${words[@]}"
}
refused 4 "design needs a model, which 'train' makes" Model.file=none.hdf5
refused 4 "design needs the parent with galaxies, which 'apply' makes" Output.catalogue=none
refused 4 "Design.cost '0' gives 0 for the sphere" Design.cost=0
refused 4 "Design.cost: " Design.cost=weight
refused 3 "900 regions are wanted of 360 candidates" Design.regions=900
refused 3 "60 Mpc is more than half the parent's box of 100 Mpc" 'Design.radii=[60 Mpc]'
refused 3 "Design.radii is empty" 'Design.radii=[]'
refused 4 "the model has no target 'sfr'" Design.target=sfr
refused 4 "put fewer than 10 objects into the bin above 1e+15" Design.least=1e15
refused 4 "above every one of Design.thresholds" 'Design.thresholds=[1e15]'
refuse 5 "exists already" design p.yml
refuse 4 "does not lie in the box of 50 Mpc" mock p.yml --overwrite --set Mock.zoom_table=one/design_regions.csv \
    --set 'Mock.box=50 Mpc' --set Output.folder=small
sed 's/,[^,]*,,/,,,/' one/design_regions.csv >bare.csv
refuse 4 "lacks x, y, z or radius" mock p.yml --overwrite --set Mock.zoom_table=bare.csv --set Output.folder=small
