#!/usr/bin/env bash
# slurm_cluster.sh start|stop DIR: a Slurm of one node below DIR, apart from any that the machine has. Needs root and the
# packages slurmctld, slurmd, slurm-client and munge; the parents of DIR must be open to the user munge.
set -euo pipefail
dir=$(realpath -m "$2")
host=$(hostname -s)
export SLURM_CONF=$dir/slurm.conf

start() {
    local port=$((20000 + RANDOM % 10000 * 2)) cores
    cores=$(nproc)
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
        if sinfo -h -o %T 2>"$dir/log/sinfo" | grep -q idle; then
            return 0
        fi
        sleep 0.5
    done
    cat "$dir"/log/* >&2
    return 1
}

case $1 in
start) start ;;
stop)
    for pid in slurmd.pid slurmctld.pid munge/pid; do
        [ ! -s "$dir/$pid" ] || kill "$(cat "$dir/$pid")" || true
    done
    ;;
esac
