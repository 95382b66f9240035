# munged, slurmctld and one slurmd per node.
start_munged() {
  local key=$RIG_DIR/munge/munge.key
  mkdir -p "$RIG_DIR/munge"
  [ -s "$key" ] || { (umask 077; head -c 1024 /dev/urandom >"$key"); chmod 400 "$key"; }
  chown root:root "$RIG_DIR/munge" "$key"
  if ! alive "$R/munged.pid" munged; then
    rm -f "$SOCK" "$SOCK.lock" "$R/munged.pid"
    # --force: the key lies under a world-writable (sticky) folder when RIG_DIR is in /tmp
    daemon munged --force --num-threads=4 --key-file="$key" --socket="$SOCK" --pid-file="$R/munged.pid" \
      --log-file="$L/munged.log" --seed-file="$RIG_DIR/munge/munge.seed" >>"$L/munged.out" 2>&1
  fi
  wait_for 10 munged sh -c "munge -S '$SOCK' -n | unmunge -S '$SOCK'"
}

slurm_conf() {
  local i task=task/none killmem=OverMemoryKill, preempt=
  [ "$RIG_CGROUP" = 1 ] && { task=task/cgroup; killmem=; }
  cat <<C
ClusterName=rig
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$P_CTLD
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$SOCK
CredType=cred/munge
StateSaveLocation=$S/state
SlurmdSpoolDir=$S/spool/%n
SlurmctldPidFile=$R/slurmctld.pid
SlurmdPidFile=$R/slurmd.%n.pid
SlurmctldLogFile=$L/slurmctld.log
SlurmdLogFile=$L/slurmd.%n.log
SlurmctldDebug=info
SlurmdDebug=info
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=$task
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=$RIG_SLURMD_TIMEOUT
MessageTimeout=10
KillWait=3
UnkillableStepTimeout=30
InactiveLimit=0
Waittime=0
MinJobAge=$RIG_MIN_JOB_AGE
MaxJobCount=20000
MaxArraySize=$RIG_MAX_ARRAY
PropagateResourceLimits=NONE
SchedulerType=sched/backfill
SchedulerParameters=$RIG_SCHED
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=${killmem}UsePss
JobCompType=jobcomp/none
C
  acct_conf
  [ "$RIG_PREEMPT" = 1 ] && { preempt=" PriorityTier=1"; echo "PreemptType=preempt/partition_prio"; echo "PreemptMode=REQUEUE"; }
  printf '%s\n' "$RIG_CONF_EXTRA"
  for ((i=1; i<=RIG_NODES; i++)); do
    echo "NodeName=node$i NodeHostname=node$i NodeAddr=127.0.0.1 Port=$((P_NODE+i)) CPUs=$RIG_CPUS RealMemory=$RIG_MEM State=UNKNOWN"
  done
  echo "PartitionName=development Nodes=$NODES MaxTime=10 DefaultTime=5 Default=NO State=UP$preempt"
  echo "PartitionName=normal Nodes=$NODES MaxTime=2-00:00:00 DefaultTime=60 Default=YES State=UP$preempt"
  [ "$RIG_PREEMPT" = 1 ] && echo "PartitionName=urgent Nodes=$NODES MaxTime=60 DefaultTime=5 Default=NO State=UP PriorityTier=10 PreemptMode=OFF"
  return 0
}

write_slurm_conf() { # sets CHANGED when it is another one than before
  slurm_conf >"$S/slurm.conf.new"
  CHANGED=0; cmp -s "$S/slurm.conf.new" "$S/slurm.conf" || CHANGED=1
  mv "$S/slurm.conf.new" "$S/slurm.conf"
  { echo CgroupPlugin=cgroup/v1; echo CgroupMountpoint=/sys/fs/cgroup
    [ "$RIG_CGROUP" = 0 ] || printf 'ConstrainRAMSpace=yes\nConstrainSwapSpace=no\nAllowedSwapSpace=0\n'; } >"$S/cgroup.conf"
}

start_slurm() {
  local i
  if ! alive "$R/slurmctld.pid" slurmctld; then
    rm -f "$R/slurmctld.pid"
    daemon slurmctld >>"$L/slurmctld.out" 2>&1
  elif [ $CHANGED = 1 ]; then say "slurm.conf changed: scontrol reconfigure"; scontrol reconfigure 9>&- || true
  fi
  wait_for 15 slurmctld scontrol ping
  for ((i=1; i<=RIG_NODES; i++)); do
    if ! alive "$R/slurmd.node$i.pid" slurmd; then
      rm -f "$R/slurmd.node$i.pid"; mkdir -p "$S/spool/node$i"
      # each in its own UTS name space, so that it (and its jobs) see the host name nodeN
      daemon unshare --uts sh -c 'hostname "$0"; exec slurmd' "node$i" >>"$L/slurmd.node$i.out" 2>&1
    fi
  done
}

wait_for_nodes() {
  local end=$((SECONDS+30)) kicked=0
  until [ "$(sinfo -h -N -p normal -t idle,mix,alloc,comp -o %N 9>&- | sort -u | wc -l)" = "$RIG_NODES" ]; do
    [ $SECONDS -lt $end ] || die "nodes did not come up: $(sinfo -h -N 9>&- | tr '\n' ';')"
    if [ $kicked = 0 ] && [ $((end-SECONDS)) -lt 25 ]; then   # a node left DOWN by an earlier run
      scontrol update "NodeName=$NODES" State=RESUME >/dev/null 2>&1 9>&- || true; kicked=1
    fi
    sleep 0.1
  done
}
