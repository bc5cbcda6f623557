#!/bin/bash
# apply is killed at random instants, stopped by SIGUSR1, a file and a time limit, and resumed on other numbers of
# ranks: parts are byte-identical, nothing else is left; train stops at a tree and goes on. HG_KILLS=50 HG_SIGNALS=20
# for the full count.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

kills=${HG_KILLS:-2} signals=${HG_SIGNALS:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
RANDOM=${HG_SEED:-17}
cd "$work"

small_universe stop 200

run() { # ranks, command, options: in the background, so that it can be signalled; $pid
    local ranks=$1
    shift
    "${mpirun[@]}" -n "$ranks" "$HALOGRAFT" "$1" p.yml "${@:2}" >out.txt 2>log.txt &
    pid=$!
}
ends() { # code: of the run
    local code=0
    wait "$pid" 2>/dev/null || code=$?
    [ "$code" -eq "$1" ] || { echo "exit code $code, not $1"; cat log.txt; exit 1; }
}
killed() { # the ranks are; mpirun of Open MPI 4.1 may wait for ever for one that dies while it connects
    for _ in $(seq 100); do
        [ -n "$(jobs -r)" ] || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
whole() { # the catalogue is the first one, and nothing else lies about
    md5sum --check --quiet "$work/ref.md5"
    [ "$(find out -name '*galaxies*' -o -name '.*galaxies*' | wc -l)" -eq "$n_files" ] || { ls -a out; exit 1; }
    "$HALOGRAFT" verify out/galaxies.hdf5 >verify.txt || { cat verify.txt; exit 1; }
}
resume() {
    run "$1" apply --resume -q
    ends 0
    whole
}

for command in mock train apply; do
    run 1 "$command"
    ends 0
done
md5sum out/galaxies.*[0-9].hdf5 >ref.md5
n_files=$(find out -name '*galaxies*' | wc -l)
[ "$(wc -l <ref.md5)" -ge 15 ]

# a finished catalogue is left alone
before=$(stat -c %Y.%i out/galaxies.hdf5)
resume 1
[ "$(stat -c %Y.%i out/galaxies.hdf5)" = "$before" ]

for _ in $(seq "$kills"); do
    rm -f out/galaxies*
    run $((RANDOM % 3 + 1)) apply
    sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
    pkill -KILL -P "$pid" 2>/dev/null || true # the ranks, not the launcher
    killed
    if [ -e out/galaxies.hdf5 ]; then
        "$HALOGRAFT" verify out/galaxies.hdf5 >/dev/null
    fi
    resume $((RANDOM % 3 + 1))
done

# model, statistics and mock leave nothing behind for good either
for _ in $(seq $((kills / 10))); do
    for command in mock train measure; do
        run $((RANDOM % 3 + 1)) "$command" --overwrite
        sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
        pkill -KILL -P "$pid" 2>/dev/null || true
        killed
        run $((RANDOM % 3 + 1)) "$command" --overwrite
        ends 0
    done
    [ -z "$(find out -name '.*.tmp-*')" ] || { ls -a out; exit 1; }
done

for _ in $(seq "$signals"); do
    rm -f out/galaxies*
    run 2 apply
    for _ in $(seq 100); do
        if [ -s out/galaxies.journal.jsonl ]; then break; fi
        sleep 0.02
    done
    sleep "0.$((RANDOM % 4))"
    kill -USR1 "$pid" 2>/dev/null || true
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 75 ] || [ -e out/galaxies.hdf5 ] || { echo "exit code $code after SIGUSR1"; cat log.txt; exit 1; }
    resume 3
done

# a file, and a limit of time
rm -f out/galaxies*
touch out/stop
run 1 apply
ends 75
[ ! -e out/stop ]
grep -q -- '--resume goes on' log.txt
resume 2
rm -f out/galaxies*
run 1 apply --set 'Run.walltime=0.01 s'
ends 75
resume 1

# what has changed since is named; a damaged part is made again
rm -f out/galaxies.hdf5 out/galaxies.xxh3
run 1 apply --resume --set Scatter.draws=2
ends 4
grep -q "'Scatter.draws' has changed since" log.txt
printf x | dd of=out/galaxies.3.hdf5 bs=1 seek=9000 conv=notrunc status=none
rm out/galaxies.5.hdf5
echo '{"part": 7, "ro' >>out/galaxies.journal.jsonl # torn
run 2 apply --resume
ends 0
grep -q 'part 3 of .* is damaged or missing' log.txt
grep -q 'part 5 of .* is damaged or missing' log.txt
whole

# a catalogue that was being replaced stays until the new one is whole
touch out/stop
run 1 apply --overwrite --set Meta.seed=4
ends 75
md5sum --check --quiet ref.md5
run 2 apply --resume --overwrite --set Meta.seed=4
ends 0
if md5sum --check --status ref.md5; then echo "the seed changed nothing"; exit 1; fi

# training stops between trees and goes on
"$HALOGRAFT" diff out/model.hdf5 out/model.hdf5 >/dev/null
cp out/model.hdf5 whole.hdf5
touch out/stop
run 2 train --overwrite
ends 75
[ ! -e out/stop ]
run 1 train --resume --overwrite
ends 0
"$HALOGRAFT" diff out/model.hdf5 whole.hdf5
# the whole chain
rm -r out

mkdir out
touch out/stop
run 1 run
ends 75
[ ! -e out/mock.done ]
grep -q 'the universe is not complete' log.txt
run 2 mock --overwrite --set 'Run.walltime=0.01 s'
ends 75
[ ! -e out/mock.done ]
run 2 run --resume
ends 0
md5sum --check --quiet ref.md5
rm out/statistics.hdf5
touch out/stop
run 2 measure
ends 75
[ ! -e out/statistics.hdf5 ]
run 2 measure --set 'Run.walltime=0.01 s'
ends 75
run 1 run --resume --overwrite
ends 0
grep -q 'the universe is there already' log.txt
run 1 run --resume --set Mock.law_norm=0.5
ends 4
grep -q "there 'Mock.law_norm: 0', here 'Mock.law_norm: 0.5'" log.txt
echo "stop: $kills kills, $signals signals, a file, a limit: all resumed to the same bytes"
