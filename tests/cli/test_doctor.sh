#!/usr/bin/env bash
# doctor: passes on this machine with any ranks, leaves nothing behind, and names what is wrong with its exit code.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"
mkdir out

said() { # code, words, command
    local want=$1 words=$2 code=0
    shift 2
    "$@" >out.txt 2>err.txt || code=$?
    if [ "$code" -ne "$want" ] || ! grep -q -e "$words" out.txt err.txt; then
        echo "exit code $code, expected $want and '$words' from: $*"
        cat out.txt err.txt
        exit 1
    fi
}
for n in 1 3; do
    said 0 "^  ok    launch      $n rank" "${mpirun[@]}" -n "$n" "$HALOGRAFT" doctor out
    for topic in program libraries clocks memory limits files mpi-io health; do
        grep -q "^  ok    $topic " out.txt || { echo "no '$topic'"; cat out.txt; exit 1; }
    done
    [ "$(grep -c WRONG out.txt)" = 0 ]
done
[ -z "$(ls -A out)" ]

echo 'Output: {folder: out/later}' >p.yml
said 0 "'out' is on" "$HALOGRAFT" doctor p.yml
[ ! -e out/later ]
OMP_NUM_THREADS=500 said 0 'note  cores' "${mpirun[@]}" -n 2 "$HALOGRAFT" doctor out
said 6 'WRONG memory' "$HALOGRAFT" doctor out --set 'Run.memory_max=1e6 GiB'
said 5 'WRONG files' "$HALOGRAFT" doctor /proc
said 3 'Output.foldr' "$HALOGRAFT" doctor out --set Output.foldr=x
said 2 'were given' "$HALOGRAFT" doctor out p.yml
(ulimit -s 512 && said 8 'WRONG limits' "$HALOGRAFT" doctor out)

# the launcher that started the program is believed, one that was passed by is not
SLURM_NTASKS=4 said 8 'srun --mpi=pmix' env -u OMPI_COMM_WORLD_SIZE "$HALOGRAFT" doctor out
SLURM_NTASKS=4 said 0 'launch      1 rank' "${mpirun[@]}" -n 1 "$HALOGRAFT" doctor out
echo "doctor: fit machines pass, unfit ones get their code"
