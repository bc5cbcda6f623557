#!/bin/bash
# Bad input: one clear sentence from rank 0, the documented exit code, no hang, nothing half-written.
# Most cases run without mpirun, which is quicker; those where ranks must agree run on 2 or 3.
set -uo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
n_bad=0 n_case=0

# expect CODE "part of the sentence" COMMAND ARGUMENTS...: run on one rank
expect() {
    judge 1 "$@"
}

# expect_ranks N CODE "part of the sentence" COMMAND ARGUMENTS...: the same on N ranks
expect_ranks() {
    judge "$@"
}

judge() {
    local n=$1 code=$2 part=$3 rc said launch=()
    shift 3
    n_case=$((n_case + 1))
    [ "$n" = 1 ] || launch=("${mpirun[@]}" -n "$n")
    said=$(timeout 60 "${launch[@]}" "$HALOGRAFT" "$@" 2>&1)
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
expect 3 "are options of targets" train "$p" --set "Features.vmax=log10 | hurdle"
expect 3 "is no target (there is 'stellar_mass')" train "$p" --set "Targets.vmax=log10 | after stellar_mas"
expect 3 "'vmax' cannot come after itself" train "$p" --set "Targets.vmax=log10 | after vmax"
expect 3 "comes after itself, by way of the others" train "$p" --set "Targets.vmax=log10 | after stellar_mass" \
    --set "Targets.stellar_mass=log10 | after vmax"
expect 3 "takes neither a transform nor a hurdle" train "$p" --set "Targets.vmax=log10 | label"
expect 4 "it must be 0 or 1" train "$p" --set "Targets.fast=vmax / 100 | label"
expect 4 "label 'fast' is 1 in all 400 training rows" train "$p" --set "Targets.fast=vmax > 1 | label"
expect 4 "is above its hurdle in none of the 400" train "$p" --set "Targets.vmax=log10 | hurdle 1e9 km/s"
expect_ranks 2 4 "label 'fast' is 0 in all 400" train "$p" --set "Targets.fast=vmax < 1 | label"
expect 3 "did you mean 'Zooms'" train "$p" --set Zoms.files=x
expect 3 "whose unit is 'Msun'" train "$p" --set "Selection.train=m200c > 5 Mpc"
expect 3 "ends too early" train "$p" --set "Selection.train=m200c >"
expect 3 "rows have no group" train "$p" --set Model.bag=group
expect 3 "did you mean 'trees'" params "$p" --set Model.tree=3
expect 5 "is not a folder" train "$p" --set "Output.folder=$work/t.csv"
expect 4 "no zooms to learn from" train "$p" --set "Zooms.files=[]"

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
expect_ranks 2 4 "m200c" train "$p" --set "Zooms.files=[$work/zero.csv]"
sed '51s/[^,]*$/nan/' "$work/t.csv" >"$work/nan.csv"
expect_ranks 2 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/nan.csv]"
sed '51s/[^,]*$/inf/' "$work/t.csv" >"$work/inf.csv"
expect 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/inf.csv]"
sed '51s/[^,]*$/-1e9/' "$work/t.csv" >"$work/negative.csv"
expect 4 "stellar_mass" train "$p" --set "Zooms.files=[$work/negative.csv]"
sed '52s/^[^,]*/7/' "$work/t.csv" >"$work/twice.csv"
expect_ranks 2 4 "twice" train "$p" --set "Zooms.files=[$work/twice.csv]"
expect_ranks 2 4 "no training rows are left" train "$p" --set "Selection.train=m200c > 1e20"
[ -e "$work/out/model.hdf5" ] && { echo "FAIL: a failed training left a model"; n_bad=$((n_bad + 1)); }

# a model, and parents that do not fit it
"${mpirun[@]}" -n 2 "$HALOGRAFT" train "$p" -q || { echo "FAIL: the good case does not train"; exit 1; }
expect 5 "exists already" train "$p"
grep -v vmax "$work/map.yml" >"$work/novmax.yml"
expect 4 "missing in the catalogue: 'vmax'" apply "$p" --set "Parent.mapping=$work/novmax.yml"
sed 's/redshift: 0/redshift: 0.5/' "$work/map.yml" >"$work/z.yml"
expect_ranks 2 4 "redshift differs: the model has 0, the parent has 0.5" apply "$p" --set "Parent.mapping=$work/z.yml"
sed 's/omega_m: 0.3/omega_m: 0.25/' "$work/map.yml" >"$work/om.yml"
expect 4 "Omega_m differs: the model has 0.3, the parent has 0.25" apply "$p" --set "Parent.mapping=$work/om.yml"
expect 4 "none.hdf5' cannot be opened" apply "$p" --set Model.file=none.hdf5
expect_ranks 3 4 "no haloes" apply "$p" --set "Parent.files=[$work/empty.csv]"
head -c 3000 "$work/out/model.hdf5" >"$work/out/cut.hdf5"
expect_ranks 2 4 "truncated" apply "$p" --set Model.file=cut.hdf5
expect 4 "is not an HDF5 file" apply "$p" --set Model.file="$work/t.csv"
"$HALOGRAFT" train "$p" --set Model.trees=4 --set Model.file=few.hdf5 -q || { echo "FAIL: 4 trees do not train"; exit 1; }
expect_ranks 2 3 "raise Model.trees (4) and train with a bag" apply "$p" --set Model.file=few.hdf5
expect 3 "train it with Scatter.library_by" apply "$p" --set Scatter.method=library --set Scatter.library_by=vmax
expect_ranks 2 3 "Scatter.library_by 'vmaxx' is no feature" train "$p" --set Scatter.library_by=vmaxx --set Model.file=by.hdf5
expect 3 "with a bag and more trees" apply "$p" --set Model.file=few.hdf5 --set Scatter.method=library
if ls "$work"/out/galaxies* >/dev/null 2>&1; then
    echo "FAIL: a failed apply left: $(ls "$work"/out)"
    n_bad=$((n_bad + 1))
fi
"${mpirun[@]}" -n 2 "$HALOGRAFT" apply "$p" -q || { echo "FAIL: the good case does not apply"; exit 1; }
expect 4 "has no column 'mstar'" measure "$p" --set "Samples.a=mstar > 3"
expect 4 "none.hdf5' does not exist" measure "$p" --set "Measure.catalogues=[a=$work/none.hdf5]"
measure=(measure "$p" --set "Samples.a=m200c > 0" --set "Measure.catalogues=[a=$work/t.csv]" --set "Measure.mapping=$work/map.yml"
    --set Measure.mesh=32)
expect_ranks 2 3 "is 26 Mpc, above half the box of catalogue 'a'" "${measure[@]}" --set "Measure.r_max=26 Mpc"
expect 3 "is 13 Mpc, not below the largest separation of 12.5 Mpc" "${measure[@]}" --set "Measure.r_min=13 Mpc"
expect 3 "more than 511 bins of xi(r)" "${measure[@]}" --set "Measure.r_max=25 Mpc" --set Measure.dlnr=0 --set Measure.mesh=4096
expect 3 "cannot be thinner than 1, the distance of modes" "${measure[@]}" --set Measure.k_width=0.5
expect 3 "more than 1023 bins of P(k)" "${measure[@]}" --set Measure.dlnk=0 --set Measure.mesh=4096
expect 3 "'w' is not one of none|x|y|z|mean" "${measure[@]}" --set Measure.line_of_sight=w
expect 3 "needs an axis: set Measure.line_of_sight" "${measure[@]}" --set Measure.space=both
expect_ranks 2 4 "has no column 'velocity', which Measure.space 'redshift' needs" "${measure[@]}" \
    --set Measure.space=redshift --set Measure.line_of_sight=z
expect_ranks 2 6 "a mesh of 256^3 cells and its objects need about" "${measure[@]}" --set Measure.mesh=256 \
    --set "Run.memory_max=20 MiB"
sed '52s/^51,[0-9]*/51,50.1/' "$work/t.csv" >"$work/outside.csv"
expect_ranks 2 4 "row 50: position[0] = 50.1 is outside the box" "${measure[@]}" --set "Measure.catalogues=[a=$work/outside.csv]"
rm -rf "$work/early"
expect 4 "does not exist and is not made by this run" run "$p" --set "Measure.catalogues=[a=$work/none.hdf5]" \
    --set "Output.folder=$work/early"
[ ! -e "$work/early/model.hdf5" ] || { echo "FAIL: a run trained before it missed a catalogue"; n_bad=$((n_bad + 1)); }
if ls "$work"/out/statistics* >/dev/null 2>&1; then
    echo "FAIL: a failed measure left: $(ls "$work"/out)"
    n_bad=$((n_bad + 1))
fi
expect_ranks 2 5 "exists already" apply "$p"

# an HDF5 table in three parts, the second without haloes; then parts that are damaged
if python3 -c "import h5py" 2>/dev/null; then
    mkdir "$work/h5"
    cat >"$work/h5.yml" <<END
Header: {box: 50 Mpc, redshift: 0, h: 0.7, omega_m: 0.3}
Columns: {id: id, m200c: "m, Msun", vmax: "vmax, km/s", stellar_mass: "mstar, Msun"}
END
    python3 - "$work/h5" <<'END'
import sys
import h5py
import numpy as np

rng, folder, n = np.random.default_rng(1), sys.argv[1], 300


def part(name, ids, spoil=None):
    with h5py.File(f"{folder}/{name}.hdf5", "w") as file:
        mass = 10 ** rng.uniform(11, 13, len(ids))
        for key, values in (("id", ids), ("m", mass), ("vmax", 100 * (mass / 1e12) ** 0.3), ("mstar", 0.01 * mass)):
            file[key] = values
        if spoil:
            spoil(file)


def set_nan(file):
    file["vmax"][7] = np.nan


part("a", np.arange(n))
part("none", np.arange(0))
part("b", np.arange(n, 2 * n))
part("again", np.arange(n - 1, 2 * n - 1))
part("nan", np.arange(n, 2 * n), set_nan)
part("lacks", np.arange(n, 2 * n), lambda file: file.pop("vmax"))
part("uneven", np.arange(n, 2 * n), lambda file: (file.pop("vmax"), file.create_dataset("vmax", data=np.ones(n - 1))))
END
    head -c 3000 "$work/h5/b.hdf5" >"$work/h5/cut.hdf5"
    # h5_case RANKS CODE "sentence" LAST_PART: train on the parts a, none, and the given one
    h5_case() {
        expect_ranks "$1" "$2" "$3" train "$p" --set "Zooms.mapping=$work/h5.yml" --set "Output.folder=$work/h5out" \
            --set "Zooms.files=[$work/h5/a.hdf5, $work/h5/none.hdf5, $work/h5/$4.hdf5]"
    }
    h5_case 2 4 "comes twice" again
    h5_case 3 4 "row 7: vmax = nan" nan
    h5_case 3 4 "truncated" cut
    h5_case 1 4 "vmax" lacks
    h5_case 1 4 "299" uneven
    if [ -n "$(ls -A "$work/h5out" 2>/dev/null)" ]; then
        echo "FAIL: a failed training left: $(ls -A "$work/h5out")"
        n_bad=$((n_bad + 1))
    fi
    "${mpirun[@]}" -n 3 "$HALOGRAFT" train "$p" -q --set "Zooms.mapping=$work/h5.yml" \
        --set "Output.folder=$work/h5out" --set Zooms.on_bad_rows=drop \
        --set "Zooms.files=[$work/h5/a.hdf5, $work/h5/none.hdf5, $work/h5/nan.hdf5]" 2>"$work/said" ||
        { echo "FAIL: a part without haloes, or a dropped row, stops the training"; n_bad=$((n_bad + 1)); }
    grep -q "1 of .* rows hold impossible values and are dropped" "$work/said" ||
        { echo "FAIL: a dropped row is not mentioned"; n_bad=$((n_bad + 1)); }
else
    echo "SKIP: HDF5 tables need python3 with h5py"
fi

# a group catalogue of Arepo with a file that is cut, and one file twice
if [ -d "${HG_DATA:-}/tng100-1_z0_groupcat" ]; then
    mkdir "$work/tng"
    cp "$HG_DATA"/tng100-1_z0_groupcat/fof_subhalo_tab_099.11[01].hdf5 "$work/tng"
    tng=(train "$p" --set Zooms.format=subfind --set Zooms.mapping= --set Zooms.partial=true --set "Output.folder=$work/tngout"
        --set "Zooms.files=[\"$work/tng/fof_subhalo_tab_099.{file}.hdf5\"]")
    truncate -s 500000 "$work/tng/fof_subhalo_tab_099.111.hdf5"
    expect_ranks 2 4 "truncated" "${tng[@]}"
    cp "$work/tng/fof_subhalo_tab_099.110.hdf5" "$work/tng/fof_subhalo_tab_099.111.hdf5"
    expect 4 "GroupFirstSub" "${tng[@]}"
fi

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
