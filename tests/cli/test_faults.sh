#!/bin/bash
# One rank fails on purpose (tests/support/fault_shim.c): an allocation, a read, a write, a flush, a rename, an abort, a
# segmentation fault, an endless loop. Each ends within seconds with the right code and one message, and leaves no file
# under a final name that is not whole. HG_FAULTS=N tries N calls of each kind, 0 every tenth allocation and every first,
# third or fifth other call; by default the first ones. HG_COMMANDS names the commands, HG_RANKS the ranks of most of them
# (1 starts no mpirun), HG_LIMIT the seconds after which a run is killed, for slow machines.
# cores: 2
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

few=${HG_FAULTS:-1}
read -r -a commands <<<"${HG_COMMANDS:-apply train mock measure validate explain design shared ends}"
shim=$HG_BUILD_DIR/tests/libfault_shim.so
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
RANDOM=${HG_SEED:-11}
cd "$work"
[ -e "$shim" ] || { echo "skipped: $shim is not there (sanitizers have an allocator of their own)"; exit 77; }

small_universe faults 400 1e12 16 16
cat >>p.yml <<END
Validate: {draws: 5, parent: true, parent_rows: 300}
Explain: {repeats: 1, rows: 60, points: 4, haloes: 5}
Design: {regions: 2, radii: [8 Mpc], gap: 1 Mpc, candidates: 30, peaks: 5, least: 1e10, thresholds: [1e10]}
END
for command in mock train apply; do "${mpirun[@]}" -n 1 "$HALOGRAFT" "$command" p.yml -q 2>log.txt || { cat log.txt; exit 1; }; done
mv out ref
input=(--set 'Parent.files=[ref/parent.hdf5]' --set Zooms.regions=ref/regions.csv)

runs=0 slowest=0 n_error=0
faulty() { # command, ranks, rank, call, nth, what, more options; $code
    local began=$SECONDS command=$1
    rm -rf out
    mkdir out
    code=0
    local start=()
    [ "$2" -eq 1 ] || start=("${mpirun[@]}" -n "$2")
    timeout -s KILL "${HG_LIMIT:-60}" "${start[@]}" env LD_PRELOAD="$shim" HG_FAULT_RANK="$3" HG_FAULT_CALL="$4" \
        HG_FAULT_NTH="$5" HG_FAULT_WHAT="$6" HG_FAULT_BELOW="$work" \
        "$HALOGRAFT" "$command" p.yml --set Output.folder="$work/out" "${@:7}" >out.txt 2>log.txt || code=$?
    runs=$((runs + 1))
    if ((SECONDS - began > slowest)); then slowest=$((SECONDS - began)); fi
    n_error=$(grep -c 'error: ' log.txt || true)
}
wrong() {
    echo "$*: exit code $code, $n_error messages"
    cat log.txt
    ls -a out
    exit 1
}
expect() { # one of these codes, and one message
    [[ " $1 " == *" $code "* ]] || wrong "$2"
    [ "$n_error" -eq 1 ] || wrong "$2"
}
clean() { # nothing that looks finished but is not, nothing temporary, no table without the file it belongs to
    [ -z "$(find out -name '.*.tmp-*')" ] || wrong "$@" "leaves a temporary file"
    for file in galaxies.hdf5 model.hdf5 mock.done; do
        [ ! -e "out/$file" ] || wrong "$@" "leaves a finished file"
    done
    [ -z "$(find out -type f -regex 'out/\(statistics\|validation\|explanation\|design\).*')" ] ||
        wrong "$@" "leaves a finished file or table"
    for part in out/galaxies.*[0-9].hdf5; do
        [ ! -e "$part" ] || cmp "$part" "ref/${part##*/}" || wrong "$@" "leaves a damaged part"
    done
}
# every STEP-th call of a kind until the command succeeds, or as many as asked for
enumerate() { # command, ranks, rank, call, what, codes, step, options
    local nth=1 tried=0 at="$1 on $2 ranks, $4 $5 on rank $3"
    while [ "$few" -eq 0 ] || [ "$tried" -lt "$few" ]; do
        faulty "$1" "$2" "$3" "$4" "$nth" "$5" "${@:8}"
        [ "$code" -ne 0 ] || break
        expect "$6" "$at, call $nth"
        clean "$at, call $nth"
        nth=$((nth + $7))
        [ "$few" -eq 0 ] || nth=$((nth + RANDOM % (4 * $7)))
        tried=$((tried + 1))
    done
    [ "$tried" -gt 0 ] || wrong "$at: nothing failed"
    [ "$few" -ne 0 ] || echo "$at: $tried faults"
}

apply=(--set Model.file="$work/ref/model.hdf5" "${input[@]}")
ranks=${HG_RANKS:-2}
last=$((ranks - 1))
shared() { # the shared layout
    local call error
    for what in "write ENOSPC" "sync EIO" "rename EIO" "malloc ENOMEM"; do
        read -r call error <<<"$what"
        enumerate apply 2 0 "$call" "$error" "5 6" "$([ "$call" = malloc ] && echo 10 || echo 1)" "${apply[@]}" \
            --set Output.layout=shared
    done
}
ends() { # that no code of ours sees
    local n
    faulty apply 2 1 write 3 abort "${apply[@]}"
    [ "$code" -eq 134 ] || wrong "abort"
    faulty apply 3 2 write 3 segv "${apply[@]}"
    [ "$code" -eq 139 ] || wrong "segmentation fault"
    for n in 2 3; do
        faulty apply $n 1 write 3 loop "${apply[@]}" --set 'Run.hang_timeout=3 s'
        expect 9 "endless loop"
        grep -q "rank 1 has made no progress for 3 s: phase 'apply: .*', last file '.*galaxies" log.txt || wrong "loop"
    done
    # a path that is wrong on one rank only: relative to another folder there
    faulty apply 2 9 write 1 EIO "${apply[@]}" --set 'Parent.files=[nowhere/parent.hdf5]'
    expect 4 "wrong path"
    cat >rank.sh <<END
#!/bin/bash
if [ "\$OMPI_COMM_WORLD_RANK" = 1 ]; then mkdir -p other; cd other; fi
exec "\$@"
END
    chmod +x rank.sh
    rm -rf out
    code=0
    timeout -s KILL "${HG_LIMIT:-60}" "${mpirun[@]}" -n 2 ./rank.sh "$HALOGRAFT" apply "$work/p.yml" "${apply[@]}" \
        --set "Output.folder=$work/out" --overwrite >out.txt 2>log.txt || code=$?
    n_error=$(grep -c 'error: ' log.txt || true)
    expect 4 "wrong path on one rank"
}
for command in "${commands[@]}"; do
    options=("${input[@]}")
    case $command in
    apply | explain) options=("${apply[@]}") ;;
    design) options=("${apply[@]}" --set Output.catalogue="$work/ref/galaxies") ;;
    mock) options=() ;;
    validate) options+=(--set Validate.by=rows --set Validate.folds=2 --set Validate.blocks=4 --set Model.bag=row) ;;
    measure) options+=(--set "Measure.catalogues=[galaxies=$work/ref/galaxies.hdf5@draw]") ;;
    shared | ends)
        "$command"
        continue
        ;;
    esac
    enumerate "$command" "$ranks" $last malloc ENOMEM "6" 10 "${options[@]}"
    enumerate "$command" "$ranks" 0 write ENOSPC "5" 3 "${options[@]}"
    [ "$few" -ne 1 ] || [ "$command" = apply ] || continue
    enumerate "$command" "$ranks" 0 write EIO "5" 5 "${options[@]}"
    enumerate "$command" "$ranks" 0 sync EIO "5" 1 "${options[@]}"
    enumerate "$command" "$ranks" 0 rename EIO "5" 1 "${options[@]}"
    enumerate "$command" "$ranks" 0 read EIO "4 5" 5 "${options[@]}"
done
[ "$slowest" -le "${HG_SLOWEST:-60}" ] || { echo "one run took $slowest s"; exit 1; }
echo "faults: $runs runs, the slowest took $slowest s"
