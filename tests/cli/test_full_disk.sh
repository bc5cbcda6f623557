#!/bin/bash
# A full disk at many positions, for any ranks and both layouts of catalogues: exit code 5 within seconds, no file under
# a final name that is not whole, and --resume completes the catalogue once there is room. HG_POSITIONS=20 for the full
# count (parts and shared x 1, 2, 3 ranks), HG_LIMIT for the seconds after which a run is killed. Needs the right to mount
# a small file system.
set -euo pipefail
# shellcheck source=tests/support/cli.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/cli.sh"

positions=${HG_POSITIONS:-1}
ranks_tried=$([ "$positions" -gt 1 ] && echo 1 2 3 || echo 2)
work=$(mktemp -d)
disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=16m tmpfs "$disk" 2>/dev/null; then
    rm -r "$work"
    echo "skipped: no right to mount a small file system here (faults.sh fills the disk by other means)"
    exit 77
fi
trap 'umount -l "$disk"; rm -rf "$work"' EXIT
read -r -a mpirun <<<"$HG_MPIRUN"
cd "$work"

small_universe disk 400

slowest=0 runs=0
hg() { # ranks, arguments
    local began=$SECONDS code=0
    timeout -s KILL "${HG_LIMIT:-60}" "${mpirun[@]}" -n "$1" "$HALOGRAFT" "${@:2}" >out.txt 2>log.txt || code=$?
    runs=$((runs + 1))
    if ((SECONDS - began > slowest)); then slowest=$((SECONDS - began)); fi
    return "$code"
}
full() { # ranks, arguments: must be refused in one sentence
    local code=0
    hg "$@" || code=$?
    [ "$code" -eq 5 ] || { echo "exit code $code, not 5: $*"; df "$disk"; cat log.txt; exit 1; }
    [ "$(grep -c 'error: ' log.txt)" -eq 1 ] || { echo "not one message"; cat log.txt; exit 1; }
}
leave() { # kB: of free space on the disk
    local free
    rm -f "$disk/filler"
    free=$(df -k --output=avail "$disk" | tail -1)
    if ((free > $1)); then fallocate -l $(((free - $1) * 1024)) "$disk/filler"; fi
}

for command in mock train apply; do hg 1 "$command" p.yml; done
hg 1 apply p.yml --set Output.catalogue=one --set Output.layout=shared
input=(--set "Parent.files=[$work/out/parent.hdf5]" --set "Zooms.regions=$work/out/regions.csv" --set "Output.folder=$disk/out")
here=("${input[@]}" --set "Model.file=$work/out/model.hdf5")
blind=(--set Output.space_margin=0)

for layout in parts shared; do
    need=$(($(find out -name "$([ $layout = parts ] && echo galaxies || echo one)*" -printf '%b\n' |
        awk '{ n += $1 } END { print n }') / 2))
    for ranks in $ranks_tried; do
        for i in $(seq "$positions"); do
            rm -rf "$disk/out"
            leave $((need * i / (positions + 1)))
            full "$ranks" apply p.yml "${here[@]}" "${blind[@]}" --set Output.layout=$layout
            [ ! -e "$disk/out/galaxies.hdf5" ] || { echo "a finished catalogue on a full disk"; exit 1; }
            for part in "$disk"/out/galaxies.*[0-9].hdf5; do
                [ ! -e "$part" ] || cmp "$part" "out/${part##*/}"
            done
        done
        leave 16000
        hg $((4 - ranks)) apply p.yml "${here[@]}" --resume --set Output.layout=$layout
        hg 1 verify "$disk/out/galaxies.hdf5" || { cat out.txt; exit 1; }
        hg 1 diff out/galaxies.hdf5 "$disk/out/galaxies.hdf5" || { cat out.txt; exit 1; }
        [ -z "$(find "$disk/out" -name '.galaxies*')" ] || { ls -a "$disk/out"; exit 1; }
    done
    rm -rf "$disk/out"
    leave 100
    full 2 apply p.yml "${here[@]}" --set Output.layout=$layout
    [ $layout = shared ] || grep -q 'bytes free' log.txt # a shared file takes its room at once
done

# the other commands
rm -rf "$disk/out"
for i in $(seq "$positions"); do
    mkdir -p "$disk/out"
    for what in "mock 0" "train 1" "measure 1"; do
        read -r command has_input <<<"$what"
        need=$(case $command in mock) du -k --exclude='galaxies*' --exclude='one*' --exclude='model*' out | tail -1 ;;
            train) du -k out/model.hdf5 ;; measure) echo 40 ;; esac | awk '{ print $1 }')
        rm -rf "$disk/out"
        leave $((need * i / (positions + 1)))
        where=("${input[@]}")
        [ "$has_input" = 1 ] || where=(--set "Output.folder=$disk/out")
        full 2 "$command" p.yml "${where[@]}" "${blind[@]}" --set 'Measure.catalogues=[galaxies='"$work"'/out/galaxies.hdf5@draw]'
        [ ! -e "$disk/out/mock.done" ] && [ ! -e "$disk/out/model.hdf5" ] && [ ! -e "$disk/out/statistics.hdf5" ]
        [ -z "$(find "$disk/out" -name '.*.tmp-*' 2>/dev/null)" ] || { ls -a "$disk/out"; exit 1; }
    done
    rm -rf "$disk/out"
    mkdir "$disk/out"
    leave $((200 * i / (positions + 1)))
    full 1 export out/galaxies.hdf5 --out "$disk/out/table.csv"
    full 2 convert out/galaxies.hdf5 --out "$disk/out/copy" --set Output.space_margin=0
    [ -z "$(ls -A "$disk/out")" ] || { ls -a "$disk/out"; exit 1; }
done
echo "full disk: $runs runs, $positions positions, the slowest took $slowest s"
