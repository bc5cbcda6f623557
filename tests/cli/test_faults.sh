#!/bin/bash
# One rank fails on purpose (tests/support/fault_shim.c): an allocation, a read, a write, a flush, a rename, an abort, a
# segmentation fault, an endless loop. Each ends within seconds with the right code and one message, and leaves no file
# under a final name that is not whole; transfers of which half comes through are gone on with. HG_FAULTS=N tries N calls
# of each kind, 0 every tenth allocation and every first, third or fifth other call; by default the first ones. HG_COMMANDS
# names the commands, HG_KINDS the faults, HG_STEP another distance of the calls that are tried, HG_FIRST the first of them,
# HG_RANKS the ranks of most commands (1 starts no mpirun), HG_LIMIT the seconds after which a run is killed, for slow
# machines, HG_WITHIN those in which a path that is wrong on one rank has to be found, HG_PROGRESS a file that tells of every run.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

few=${HG_FAULTS:-1}
read -r -a commands <<<"${HG_COMMANDS:-apply train rows mock measure validate explain design shared short summary ends}"
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

runs=0 slowest=0 slowest_is=none n_error=0 took=0
lasts=()
faulty() { # command, ranks, rank, call, nth, what, more options; $code
    local began=${EPOCHREALTIME//[.,]/} command=$1
    rm -rf out
    mkdir out
    code=0
    local start=()
    [ "$2" -eq 1 ] || start=("${mpirun[@]}" -n "$2")
    timeout -s KILL "${HG_LIMIT:-60}" "${start[@]}" env LD_PRELOAD="$shim${LD_PRELOAD:+:$LD_PRELOAD}" HG_FAULT_RANK="$3" HG_FAULT_CALL="$4" \
        HG_FAULT_NTH="$5" HG_FAULT_WHAT="$6" HG_FAULT_BELOW="${below:-$work}" "${lasts[@]}" \
        "${program:-$HALOGRAFT}" "$command" p.yml --set Output.folder="$work/out" "${@:7}" >out.txt 2>log.txt || code=$?
    runs=$((runs + 1)) took=$(((${EPOCHREALTIME//[.,]/} - began) / 1000))
    if ((took > slowest)); then slowest=$took slowest_is="$command, $4 $6 $5"; fi
    echo "$1 on $2 ranks, $4 $6 $5: code $code after $took ms" >>"${HG_PROGRESS:-/dev/null}"
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
clean() { # and nothing temporary
    [ -z "$(find out -name '.*.tmp-*')" ] || wrong "$@" "leaves a temporary file"
    unfinished "$@"
}
unfinished() { # nothing looks finished but is not, no table without the file it belongs to
    local file
    for file in galaxies.hdf5 model.hdf5 mock.done; do
        [ ! -e "out/$file" ] || wrong "$@" "leaves a finished file"
    done
    [ -z "$(find out -type f -regex 'out/\(statistics\|validation\|explanation\|design\).*')" ] ||
        wrong "$@" "leaves a finished file or table"
    parts "$@"
}
parts() { # what has a final name is as it should be
    local part
    for part in out/{galaxies,parent,truth}.*[0-9].hdf5; do
        [ ! -e "$part" ] || cmp "$part" "ref/${part##*/}" || wrong "$@" "leaves a damaged part"
    done
}
# every STEP-th call of a kind until the command succeeds, or as many as asked for
enumerate() { # command, ranks, rank, call, what, codes, step, options
    local nth=${HG_FIRST:-1} tried=0 step=${HG_STEP:-$7} at="$1 on $2 ranks, $4 $5 on rank $3"
    [[ " ${HG_KINDS:-$4-$5} " == *" $4-$5 "* ]] || return 0
    while [ "$few" -eq 0 ] || [ "$tried" -lt "$few" ]; do
        faulty "$1" "$2" "$3" "$4" "$nth" "$5" "${@:8}"
        [ "$code" -ne 0 ] || break
        expect "$6" "$at, call $nth"
        clean "$at, call $nth"
        nth=$((nth + step))
        [ "$few" -eq 0 ] || nth=$((nth + RANDOM % (4 * step)))
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
options_of() { # command; $options
    options=("${input[@]}")
    case $1 in
    apply | explain) options=("${apply[@]}") ;;
    design) options=("${apply[@]}" --set Output.catalogue="$work/ref/galaxies") ;;
    mock) options=() ;;
    rows) options+=(--set Model.scheme=rows) ;;
    validate) options+=(--set Validate.by=rows --set Validate.folds=2 --set Validate.blocks=4 --set Model.bag=row) ;;
    measure) options+=(--set "Measure.catalogues=[galaxies=ref/galaxies.hdf5@draw]") ;;
    esac
}
short() { # half of what is asked for is moved, each time: the same files
    local command call file n
    for command in apply train mock measure validate; do
        options_of "$command"
        lasts=()
        faulty "$command" 1 9 write 1 EIO "${options[@]}"
        [ "$code" -eq 0 ] || wrong "$command without faults"
        rm -rf whole
        mv out whole
        n=$(find whole -name '*.hdf5' | wc -l)
        [ "$n" -gt 0 ] || wrong "$command leaves nothing"
        lasts=(HG_FAULT_LASTS=1)
        for call in write read; do
            faulty "$command" 1 0 "$call" 1 short "${options[@]}"
            [ "$code" -eq 0 ] || wrong "$command, each $call short"
            [ "$(find out -name '*.hdf5' | wc -l)" -eq "$n" ] || wrong "$command, each $call short, lacks a file"
            while IFS= read -r file; do
                "$HALOGRAFT" diff "$file" "out/${file#whole/}" >diff.txt || wrong "$command, each $call short: $(<diff.txt)"
            done < <(find whole -name '*.hdf5')
            parts "$command, each $call short"
        done
    done
    lasts=()
}
summary() { # all is written; what cannot be told of it is no failure
    options_of measure
    below=$work/out/statistics.hdf5 faulty measure 1 0 open 1 EIO "${options[@]}"
    [ "$code" -eq 0 ] || wrong "summary of measure"
    grep -q "warning: no summary is printed: .*out/statistics.hdf5" log.txt || wrong "no warning"
}
elsewhere() { # command, code, more options: rank 1 stands in another folder, so that relative paths are wrong there
    program=$work/rank.sh faulty "$1" 2 9 write 1 EIO "${options[@]}" "${@:3}"
    expect "$2" "wrong path on one rank of $1"
    clean "wrong path on one rank of $1"
    [ "$took" -le "${HG_WITHIN:-10}000" ] || wrong "wrong path on one rank of $1 after $took ms"
}
ends_of() { # command
    faulty "$1" 2 1 malloc 700 abort "${options[@]}"
    [ "$code" -eq 134 ] || wrong "abort of $1"
    unfinished "abort of $1"
    faulty "$1" 2 1 malloc 700 segv "${options[@]}"
    [ "$code" -eq 139 ] || wrong "segmentation fault of $1"
    unfinished "segmentation fault of $1"
    faulty "$1" 2 1 malloc 700 loop "${options[@]}" --set 'Run.hang_timeout=3 s'
    expect 9 "endless loop of $1"
    grep -q "rank 1 has made no progress for 3 s: phase '[a-z]" log.txt || wrong "endless loop of $1"
    unfinished "endless loop of $1"
}
early() { # an endless loop while parameters are read
    options_of apply
    faulty apply 2 1 malloc 2 loop "${options[@]}" --set 'Run.hang_timeout=3 s'
    expect 9 "endless loop before the run"
    grep -q "rank 1 has made no progress for 3 s: phase 'parameters'" log.txt || wrong "endless loop before the run"
}
stopped() { # the time in which a process is stopped does not count for the watchdog
    local pid
    rm -rf out && mkdir out
    code=0
    env LD_PRELOAD="$shim" HG_FAULT_RANK=0 HG_FAULT_CALL=malloc HG_FAULT_NTH=2 HG_FAULT_WHAT=loop \
        "$HALOGRAFT" apply p.yml --set Output.folder="$work/out" --set 'Run.hang_timeout=3 s' 2>log.txt &
    pid=$!
    sleep 1.5
    kill -STOP "$pid"
    sleep 5
    kill -CONT "$pid"
    wait "$pid" || code=$?
    n_error=$(grep -c 'error: ' log.txt || true)
    expect 9 "endless loop that was stopped"
    grep -q "rank 0 has made no progress for 3 s: phase 'parameters'" log.txt || wrong "endless loop that was stopped"
}
ends() { # that no code of ours sees
    local n command
    early
    stopped
    faulty apply 2 1 write 3 abort "${apply[@]}"
    [ "$code" -eq 134 ] || wrong "abort"
    faulty apply 3 2 write 3 segv "${apply[@]}"
    [ "$code" -eq 139 ] || wrong "segmentation fault"
    for n in 2 3; do
        faulty apply $n 1 write 3 loop "${apply[@]}" --set 'Run.hang_timeout=3 s'
        expect 9 "endless loop"
        grep -q "rank 1 has made no progress for 3 s: phase 'apply: .*', last file '.*galaxies" log.txt || wrong "loop"
    done
    faulty apply 2 9 write 1 EIO "${apply[@]}" --set 'Parent.files=[nowhere/parent.hdf5]'
    expect 4 "wrong path"
    options_of apply
    elsewhere apply 4
    options_of mock
    elsewhere mock 5 --set Output.folder=out
    [ "$few" -ne 1 ] || return 0
    for command in mock measure validate; do
        options_of "$command"
        ends_of "$command"
        [ "$command" = mock ] || elsewhere "$command" 4
    done
}
cat >rank.sh <<END
#!/bin/bash
if [ "\$OMPI_COMM_WORLD_RANK" = 1 ]; then mkdir -p other; cd other; fi
exec "$HALOGRAFT" "\$@"
END
chmod +x rank.sh
for command in "${commands[@]}"; do
    case $command in
    shared | short | summary | ends)
        "$command"
        continue
        ;;
    esac
    options_of "$command"
    [ "$command" != rows ] || command=train # whose ranks share rows out, not trees
    enumerate "$command" "$ranks" $last malloc ENOMEM "6" 10 "${options[@]}"
    enumerate "$command" "$ranks" 0 write ENOSPC "5" 3 "${options[@]}"
    [ "$few" -ne 1 ] || [ "$command" = apply ] || continue
    enumerate "$command" "$ranks" 0 write EIO "5" 5 "${options[@]}"
    enumerate "$command" "$ranks" 0 sync EIO "5" 1 "${options[@]}"
    enumerate "$command" "$ranks" 0 rename EIO "5" 1 "${options[@]}"
    enumerate "$command" "$ranks" 0 read EIO "4 5" 5 "${options[@]}"
done
[ "$slowest" -le "${HG_SLOWEST:-60}000" ] || { echo "one run ($slowest_is) took $slowest ms"; exit 1; }
echo "faults: $runs runs, the slowest ($slowest_is) took $slowest ms"
