# What the parts of slurm-up and slurm-down share. The caller has set RIG_DIR; its lock is file descriptor 9.
export PATH=$PATH:/usr/sbin:/sbin
R=$RIG_DIR/run; L=$RIG_DIR/log; S=$RIG_DIR/slurm
export SLURM_CONF=$S/slurm.conf

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$*"; exit 1; }
ended() { [ ! -d "/proc/$1" ] || grep -qs '^State:.[ZX]' "/proc/$1/status" || [ ! -d "/proc/$1" ]; }
pid_of() { # pid_of PIDFILE COMM: print the pid when that process lives and is what was started
  local pid; [ -s "$1" ] || return 1; pid=$(<"$1")
  ended "$pid" && return 1
  case $(cat "/proc/$pid/comm" 2>/dev/null) in $2*) echo "$pid";; *) return 1;; esac
}
alive() { pid_of "$@" >/dev/null; }
wait_for() { # wait_for SECONDS WHAT COMMAND...
  local end=$((SECONDS+$1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1 9>&-; do
    [ $SECONDS -lt $end ] || die "timed out waiting for $what (logs in $L)"; sleep 0.1
  done
}
# A daemon must not keep the lock: it would hold it for as long as it lives.
daemon() { setsid "$@" </dev/null 9>&-; }
resident() { setsid "$@" </dev/null 9>&- & }   # for one that does not leave by itself
