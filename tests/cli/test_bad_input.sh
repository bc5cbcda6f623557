#!/bin/bash
# Bad input: one clear sentence from rank 0, the documented exit code, no hang, nothing half-written.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
n_bad=0 n_case=0

# expect CODE "part of the sentence" COMMAND ARGUMENTS...: run on 2 ranks
expect() {
    local code=$1 part=$2 rc said
    shift 2
    n_case=$((n_case + 1))
    said=$(timeout 60 "${mpirun[@]}" -n 2 "$HALOGRAFT" "$@" 2>&1)
    rc=$?
    if [ "$rc" != "$code" ] || ! grep -qF -- "$part" <<<"$said"; then
        echo "FAIL ($rc instead of $code, or no \"$part\"): $*"
        grep -v '^---' <<<"$said" | tail -6
        n_bad=$((n_bad + 1))
    elif [ "$(grep -c 'error:' <<<"$said")" != 1 ]; then
        echo "FAIL (not exactly one message): $*"
        n_bad=$((n_bad + 1))
    fi
}

# a good small table, its mapping and a parameter file to start from
{
    echo "id,x,y,z,m,vmax,mstar"
    for i in $(seq 1 400); do
        echo "$i,$((i % 50)),$((i % 47)),$((i % 43)),$((i * 7919 % 1000 + 1))e9,$((i % 90 + 60)),$((i * 31 % 97 + 1))e8"
    done
} >"$work/t.csv"
cat >"$work/map.yml" <<END
Header: {box: 50 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}
Columns:
  id: id
  position: "x; y; z, Mpc"
  m200c: "m, Msun"
  vmax: "vmax, km/s"
  stellar_mass: "mstar, Msun"
END
cat >"$work/p.yml" <<END
Zooms: {files: ["$work/t.csv"], format: columns, mapping: "$work/map.yml"}
Parent: {files: ["$work/t.csv"], format: columns, mapping: "$work/map.yml"}
Features: {m200c: log10, vmax: log10}
Targets: {stellar_mass: log10}
Model: {trees: 8}
Output: {folder: "$work/out"}
END
p=$work/p.yml

# usage and parameters
expect 2 "there is no command 'trian', did you mean 'train'?" trian "$p"
expect 2 "unknown option '--overwrit'" train "$p" --overwrit
expect 2 "one parameter file is needed" train
expect 4 "'$work/none.yml' cannot be opened" train "$work/none.yml"
expect 3 "unknown parameter 'Model.tree', did you mean 'trees'?" train "$p" --set Model.tree=3
expect 3 "is not an integer" train "$p" --set Model.trees=many
expect 3 "outside the allowed range" train "$p" --set Model.max_features=2
expect 3 "has no unit" mock "$p" --set Mock.box=500
expect 3 "cannot be converted to 'Mpc'" mock "$p" --set "Mock.box=500 Msun"
expect 3 "unknown function" train "$p" --set "Features.bad=foo(vmax) | log10"
expect 3 "is neither a transform" train "$p" --set "Features.vmax=vmax | log11"

# files and fields
expect 4 "does not exist" train "$p" --set "Zooms.files=[$work/none.csv]"
expect 4 "missing in the catalogue: 'vmx'" train "$p" --set "Features.vmx=log10"
sed 's/vmax: "vmax, km\/s"/vmax: "velocity_max, km\/s"/' "$work/map.yml" >"$work/wrongfield.yml"
expect 4 "velocity_max" train "$p" --set "Zooms.mapping=$work/wrongfield.yml"
sed 's/vmax, km\/s/vmax, Msun/' "$work/map.yml" >"$work/wrongunit.yml"
expect 3 "vmax" train "$p" --set "Zooms.mapping=$work/wrongunit.yml"
sed 's/"m, Msun"/m/' "$work/map.yml" >"$work/nounit.yml"
expect 3 "unit" train "$p" --set "Zooms.mapping=$work/nounit.yml"
sed '100s/,[^,]*$//' "$work/t.csv" >"$work/short.csv"
expect 4 "line 100" train "$p" --set "Zooms.files=[$work/short.csv]"
head -1 "$work/t.csv" >"$work/empty.csv"
expect 4 "no " train "$p" --set "Zooms.files=[$work/empty.csv]"

# values
sed '51s/^\([^,]*,[^,]*,[^,]*,[^,]*\),[^,]*/\1,0/' "$work/t.csv" >"$work/zero.csv"
expect 4 "m200c" train "$p" --set "Zooms.files=[$work/zero.csv]"
sed '51s/[^,]*$/nan/' "$work/t.csv" >"$work/nan.csv"
expect 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/nan.csv]"
sed '51s/[^,]*$/inf/' "$work/t.csv" >"$work/inf.csv"
expect 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/inf.csv]"
sed '51s/[^,]*$/-1e9/' "$work/t.csv" >"$work/negative.csv"
expect 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/negative.csv]"
sed '52s/^[^,]*/7/' "$work/t.csv" >"$work/twice.csv"
expect 4 "twice" train "$p" --set "Zooms.files=[$work/twice.csv]"
expect 4 "no training rows are left" train "$p" --set "Selection.train=m200c > 1e20"
[ -e "$work/out/model.hdf5" ] && { echo "FAIL: a failed training left a model"; n_bad=$((n_bad + 1)); }

# a model, and parents that do not fit it
"${mpirun[@]}" -n 2 "$HALOGRAFT" train "$p" -q || { echo "FAIL: the good case does not train"; exit 1; }
expect 5 "exists already" train "$p"
grep -v vmax "$work/map.yml" >"$work/novmax.yml"
expect 4 "missing in the catalogue: 'vmax'" apply "$p" --set "Parent.mapping=$work/novmax.yml"
sed 's/redshift: 0/redshift: 0.5/' "$work/map.yml" >"$work/z.yml"
expect 4 "redshift differs: the model has 0, the parent has 0.5" apply "$p" --set "Parent.mapping=$work/z.yml"
sed 's/omega_m: 0.3/omega_m: 0.25/' "$work/map.yml" >"$work/om.yml"
expect 4 "Omega_m differs: the model has 0.3, the parent has 0.25" apply "$p" --set "Parent.mapping=$work/om.yml"
expect 4 "none.hdf5' cannot be opened" apply "$p" --set Model.file=none.hdf5
expect 4 "no haloes" apply "$p" --set "Parent.files=[$work/empty.csv]"
head -c 3000 "$work/out/model.hdf5" >"$work/out/cut.hdf5"
expect 4 "truncated" apply "$p" --set Model.file=cut.hdf5
expect 4 "is not an HDF5 file" apply "$p" --set Model.file="$work/t.csv"
if ls "$work"/out/galaxies* >/dev/null 2>&1; then
    echo "FAIL: a failed apply left: $(ls "$work"/out)"
    n_bad=$((n_bad + 1))
fi
"${mpirun[@]}" -n 2 "$HALOGRAFT" apply "$p" -q || { echo "FAIL: the good case does not apply"; exit 1; }
expect 5 "exists already" apply "$p"

# our own output, damaged
cp -r "$work/out" "$work/torn"
rm "$work"/torn/galaxies.0.hdf5
cat >"$work/own.yml" <<END
Parent: {files: ["$work/torn/galaxies.hdf5"], format: halograft}
Features: {m200c: log10, vmax: log10}
Targets: {stellar_mass: log10}
Output: {folder: "$work/out"}
END
expect 4 "galaxies.0.hdf5" apply "$work/own.yml" --set Output.catalogue=again
cp "$work/out/galaxies.0.hdf5" "$work/torn/"
truncate -s -2000 "$work/torn/galaxies.0.hdf5"
expect 4 "galaxies.0.hdf5" apply "$work/own.yml" --set Output.catalogue=again

# a launcher that starts singletons
said=$(env -u OMPI_COMM_WORLD_SIZE SLURM_NTASKS=4 "$HALOGRAFT" train "$p" --overwrite 2>&1)
rc=$?
if [ $rc != 8 ] || ! grep -q "srun --mpi=pmix" <<<"$said"; then
    echo "FAIL: singletons are not noticed ($rc): $said"
    n_bad=$((n_bad + 1))
fi
echo "$n_case cases, $n_bad failed"
[ $n_bad = 0 ]
