#!/usr/bin/env bash
# The job scripts under a real Slurm of one node: a single run, the soft stop and requeueing, and an array over ranges of
# trees of which one task is killed and requeued, joined into the model of a plain run.
set -euo pipefail
skip() {
    echo "SKIPPED: no Slurm to test with: $*"
    exit 77
}
for tool in slurmctld slurmd sbatch munged mungekey runuser; do
    command -v "$tool" >/dev/null || skip "$tool is missing (packages slurmctld, slurmd, slurm-client, munge)"
done
[ "$(id -u)" = 0 ] || skip "not root"
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
scripts=$root/jobscripts/slurm
work=$(mktemp -d)
chmod 755 "$work"
stop() {
    bash "$root/tests/cli/slurm_cluster.sh" stop "$work/cluster"
    sleep 0.5
    rm -rf "$work" || true
}
trap stop EXIT
timeout 90 bash "$root/tests/cli/slurm_cluster.sh" start "$work/cluster" >"$work/start.log" 2>&1 || {
    bash "$root/tests/cli/slurm_cluster.sh" show "$work/cluster"
    skip "the daemons do not start, or take no job"
}
export SLURM_CONF=$work/cluster/slurm.conf HG_PROGRAM=$HALOGRAFT
cd "$work"

fail() {
    echo "FAILED: $*"
    for log in "$work"/*.log; do
        echo "--- $log"
        tail -n 30 "$log"
    done
    squeue -a || true
    bash "$root/tests/cli/slurm_cluster.sh" show "$work/cluster"
    exit 1
}
# until SECONDS COMMAND...: wait until a command succeeds
until_true() {
    local left=$((10 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail "in vain: $*"
        sleep 0.1
    done
}
state_of() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z]*\).*/\1/p' | head -n 1; }
field_of() { scontrol show job "$1" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
# Slurm holds a requeued job back for two minutes. release JOB lets it begin, but not before its first life has ended in
# all daemons, or the news of that end would kill the second.
waits() { [ "$(field_of "$1" Restarts)" -ge 1 ] && is_state "$1" PENDING; }
release() {
    until_true 60 waits "$1"
    sleep 5
    scontrol update "JobId=$1" StartTime=now
}
submit() { sbatch --parsable --ntasks-per-node=2 --cpus-per-task=1 --mem=0 "$@"; }

cat >p.yml <<END
Meta: {name: slurm, seed: 3}
Mock: {box: 60 Mpc, mesh: 32, mass_min: 3e11 Msun, zooms: 3, zoom_radius: 8 Mpc, zoom_buffer: 1 Mpc, periodic: 0 Mpc}
Features: {m200c: log10, vmax: log10, central: none}
Targets: {stellar_mass: log10}
Model: {trees: 96, checkpoint: 0.001 s}
Measure: {mesh: 32}
Output: {folder: plain, report: false}
END

# the launcher: two ranks, and a program that was started past it
timeout 60 srun --mpi=pmix -n 2 "$HALOGRAFT" doctor >doctor.log 2>&1 || fail "srun doctor"
grep -q 'launch      2 ranks on 1 node' doctor.log || fail "doctor does not see two ranks"
code=0
timeout 60 sbatch --wait -n 2 --output=bare.log --wrap "$HALOGRAFT train p.yml" >/dev/null || code=$?
[ "$code" = 8 ] || fail "a bare program in a job of two tasks ends with $code"

# a single run, from the mock to the statistics
code=0
timeout 120 sbatch --wait --ntasks-per-node=2 --cpus-per-task=1 --mem=0 --output=run.log "$scripts/run.slurm" p.yml \
    >/dev/null || code=$?
if [ "$code" != 0 ] || [ ! -s plain/galaxies.hdf5 ] || [ ! -s plain/statistics.hdf5 ]; then
    fail "run.slurm ended with $code"
fi

# take_mock FOLDER: the mock of the first run, without what came of it
take_mock() {
    cp -r plain "$1"
    rm -r "$1"/{galaxies,model,statistics}*
}

# warned before the limit: exit code 75, requeued by itself, finished on the second try. In its first life the program
# hears the signal once more when it has begun, so that the moment does not depend on the machine.
cat >patient <<END
#!/usr/bin/env bash
if [ "\${SLURM_RESTART_COUNT:-0}" = 0 ]; then
    trap 'warned=yes' USR1
    touch "$work/started"
    for _ in {1..600}; do [ -n "\${warned:-}" ] && break; sleep 0.1; done
    (sleep 0.3; kill -USR1 \$\$) &
fi
exec "$HALOGRAFT" "\$@"
END
chmod +x patient
take_mock soft
job=$(HG_PROGRAM=$work/patient submit --output=soft.log "$scripts/run.slurm" p.yml --set Output.folder=soft)
until_true 60 [ -e started ]
sleep 0.5
scancel --signal=USR1 --batch "$job"
release "$job"
until_true 120 is_state "$job" COMPLETED
grep -q 'requeueing' soft.log || fail "the script does not speak of requeueing"
"$HALOGRAFT" diff plain/galaxies.hdf5 soft/galaxies.hdf5 >diff.log || fail "the resumed run differs"

# six tasks of sixteen trees; task 3 is frozen when it has some of its trees, killed and requeued
cat >killed <<END
#!/usr/bin/env bash
if [ "\$SLURM_ARRAY_TASK_ID" = 3 ] && [ "\${SLURM_RESTART_COUNT:-0}" = 0 ]; then
    "$HALOGRAFT" "\$@" &
    until compgen -G "$work/array/model.trees-*48-*" >"$work/half"; do sleep 0.01; done
    kill -STOP \$!
    sleep 100
fi
exec "$HALOGRAFT" "\$@"
END
chmod +x killed
take_mock array
job=$(HG_PROGRAM=$work/killed submit --array=0-5%2 --output=task-%a.log "$scripts/array_trees.slurm" p.yml 16 \
    --set Output.folder=array)
merge=$(submit --dependency="afterok:$job" --output=merge.log "$scripts/merge_trees.slurm" p.yml --set Output.folder=array)
until_true 120 [ -s half ]
scontrol requeue "${job}_3"
release "${job}_3"
until_true 180 is_state "$merge" COMPLETED
ls array/*trees-* 2>/dev/null && fail "part files are left"
"$HALOGRAFT" diff plain/model.hdf5 array/model.hdf5 >diff.log || fail "the model of the array differs: $(cat diff.log)"
"$HALOGRAFT" diff plain/galaxies.hdf5 array/galaxies.hdf5 >diff.log || fail "the catalogue of the array differs"
echo "slurm: launcher, single run, soft stop with requeue, array of 6 with one killed and merge"
