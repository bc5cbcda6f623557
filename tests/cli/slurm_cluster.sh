#!/usr/bin/env bash
# slurm_cluster.sh start|show|stop DIR: a Slurm of one node below DIR, apart from any that the machine has. Needs root and the
# packages slurmctld, slurmd, slurm-client and munge; the parents of DIR must be open to the user munge.
set -euo pipefail
dir=$(realpath -m "$2")
host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf

start() {
    local port=$((20000 + RANDOM % 5000 * 2)) cores # below the ports that the kernel hands out
    cores=$(getconf _NPROCESSORS_ONLN)
    mkdir -p "$dir"/{munge,state,spool,log}
    mungekey --create --keyfile="$dir/munge/key"
    chmod 755 "$dir" "$dir/munge"
    chown -R munge: "$dir/munge"
    runuser -u munge -- munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
    cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthInfo=socket=$dir/munge/socket
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=2,batch_sched_delay=1,bf_interval=2
KillWait=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    slurmctld
    slurmd
    for _ in {1..60}; do
        # "idle*" is a node that does not answer; and one that is idle may still not take work
        if sinfo -h -o %T 2>"$dir/log/sinfo" | grep -qx idle &&
            timeout 20 srun --immediate=10 --mpi=pmix -n 2 true 2>"$dir/log/srun"; then
            return 0
        fi
        sleep 0.5
    done
    show >&2
    return 1
}

# what the daemons say, and why a node takes no work
show() {
    sinfo -N -o '%N %T %c %E' || true
    tail -n 30 "$dir"/log/*
}

case $1 in
start) start ;;
show) show ;;
stop)
    for pid in slurmd.pid slurmctld.pid munge/pid; do
        [ ! -s "$dir/$pid" ] || kill "$(cat "$dir/$pid")" || true
    done
    ;;
esac
