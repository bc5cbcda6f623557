#!/usr/bin/env bash
# The job scripts, run as Slurm would run them, with a stand-in for launcher, program and scontrol:
# arguments, exit codes, the signal before the time limit, requeueing.
set -euo pipefail
root=${HG_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# The program writes down its arguments; 'wait' makes it run until USR1, which it answers with 75.
cat >program <<'END'
#!/usr/bin/env bash
printf '%s\n' "$*" >arguments
case " $* " in
*" code=7 "*) exit 7 ;;
*" wait "*)
    trap 'exit 75' USR1
    touch started
    for _ in {1..100}; do sleep 0.05; done ;;
esac
END
printf '#!/bin/sh\necho "$*" >requeued\n' >scontrol
chmod +x program scontrol
export PATH="$work:$PATH" HG_LAUNCH=env HG_PROGRAM="$work/program"
export SLURM_JOB_ID=41 SLURM_CPUS_PER_TASK=2
unset SLURM_ARRAY_TASK_ID SLURM_ARRAY_JOB_ID

fail() {
    echo "FAILED: $*"
    exit 1
}
expect() {
    [ "$(cat arguments)" = "$1" ] || fail "arguments '$(cat arguments)', expected '$1'"
}
code_of() {
    local code=0
    timeout 20 bash "$@" >log 2>&1 || code=$?
    echo "$code"
}
single=$root/jobscripts/slurm/run.slurm
array=$root/jobscripts/slurm/array_snapshots.slurm

[ "$(code_of "$single" my.yml --set "Meta.name=two words")" = 0 ] || fail "a run: $(cat log)"
expect "run my.yml --resume --set Meta.name=two words"
[ "$(code_of "$single" my.yml code=7)" = 7 ] || fail "the exit code is lost"
[ "$(SLURM_ARRAY_TASK_ID=5 code_of "$array" my.yml -v)" = 0 ] || fail "an array task: $(cat log)"
expect "run my.yml --snap 5 --resume -v"
[ "$(code_of "$array" my.yml)" != 0 ] || fail "an array script outside an array"
grep -q 'submit this script with --array' log || fail "no word about --array: $(cat log)"
[ "$(code_of "$single")" != 0 ] || fail "no parameter file"
[ ! -e requeued ] || fail "requeued without code 75"

trees=$root/jobscripts/slurm/array_trees.slurm
merge=$root/jobscripts/slurm/merge_trees.slurm
[ "$(SLURM_ARRAY_TASK_ID=5 code_of "$trees" my.yml 16 -v)" = 0 ] || fail "a task of trees: $(cat log)"
expect "train my.yml --set Model.first_tree=80 --set Model.task_trees=16 --resume -v"
[ "$(SLURM_ARRAY_TASK_ID=5 code_of "$trees" my.yml)" != 0 ] || fail "no number of trees"
[ "$(code_of "$merge" my.yml -v)" = 0 ] || fail "a merge: $(cat log)"
expect "apply my.yml --resume -v"
[ "$(code_of "$merge" my.yml code=7)" = 7 ] || fail "a failed merge goes on"
expect "train my.yml --merge code=7"

# warned SCRIPT REQUEUED: USR1 to the batch shell reaches the program, code 75 comes back, the job is requeued.
warned() {
    rm -f started requeued
    bash "$1" my.yml ${3:+"$3"} wait >log 2>&1 &
    local shell=$! code=0
    for _ in {1..100}; do
        [ -e started ] && break
        sleep 0.05
    done
    kill -USR1 "$shell"
    wait "$shell" || code=$?
    [ "$code" = 75 ] || fail "$1 ended with $code after USR1: $(cat log)"
    [ "$(cat requeued)" = "requeue $2" ] || fail "$1 requeued '$(cat requeued)'"
}
warned "$single" 41
warned "$merge" 41
export SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_JOB_ID=40
warned "$array" 40_5
warned "$trees" 40_5 16
echo "passed"
