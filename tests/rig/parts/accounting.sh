# MariaDB on loopback and slurmdbd, so that sacct works. RIG_ACCT=none leaves them out.
Q=$RIG_DIR/mysql

acct_conf() { # the lines of slurm.conf
  if [ "$RIG_ACCT" = none ]; then echo AccountingStorageType=accounting_storage/none; return; fi
  echo "AccountingStorageType=accounting_storage/slurmdbd"
  echo "AccountingStorageHost=127.0.0.1"
  echo "AccountingStoragePort=$P_DBD"
  echo "AccountingStoragePass=$SOCK"    # slurmdbd's clients try the system's munge without it
  [ "$RIG_JOB_COMMENT" = 1 ] && echo "AccountingStoreFlags=job_comment"
  [ "$RIG_MAX_SUBMIT" = 0 ] || echo "AccountingStorageEnforce=associations,limits"
}

start_mariadb() {
  # A server that starts takes away what lies in its folder for temporary files: each rig has its own.
  mkdir -p "$Q/tmp"
  [ -s "$Q/password" ] || (umask 077; head -c 18 /dev/urandom | base64 | tr -d '/+=' >"$Q/password")
  cat >"$Q/my.cnf" <<C
[mariadbd]
user=root
datadir=$Q/data
tmpdir=$Q/tmp
socket=$Q/sock
pid-file=$R/mariadbd.pid
log-error=$L/mariadbd.log
bind-address=127.0.0.1
port=$P_SQL
skip-name-resolve
innodb_buffer_pool_size=64M
innodb_log_file_size=16M
innodb_lock_wait_timeout=900
innodb_flush_log_at_trx_commit=0
innodb_doublewrite=0
skip-log-bin
C
  if ! alive "$R/mariadbd.pid" mariadbd; then
    rm -f "$R/mariadbd.pid"
    if [ ! -e "$Q/data/.ready" ]; then
      rm -rf "$Q/data"; mkdir -p "$Q/data"
      TMPDIR=$Q/tmp mariadb-install-db --no-defaults --user=root --datadir="$Q/data" --auth-root-authentication-method=socket \
        --skip-test-db >>"$L/mariadbd.out" 2>&1 9>&- || die "mariadb-install-db failed, see $L/mariadbd.out"
      touch "$Q/data/.ready"
    fi
    resident mariadbd --defaults-file="$Q/my.cnf" >>"$L/mariadbd.out" 2>&1
  fi
  wait_for 30 mariadbd mariadb --no-defaults -S "$Q/sock" -e 'select 1'
  local password; password=$(<"$Q/password")
  mariadb --no-defaults -S "$Q/sock" 9>&- <<C
create database if not exists slurm_acct;
create user if not exists slurm@'127.0.0.1' identified by '$password';
alter user slurm@'127.0.0.1' identified by '$password';
grant all on slurm_acct.* to slurm@'127.0.0.1';
C
}

start_slurmdbd() { # slurm.conf is there
  (umask 077; cat >"$S/slurmdbd.conf" <<C
AuthType=auth/munge
AuthInfo=socket=$SOCK
DbdHost=$(hostname -s)
DbdAddr=127.0.0.1
DbdPort=$P_DBD
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$P_SQL
StorageUser=slurm
StoragePass=$(<"$Q/password")
StorageLoc=slurm_acct
LogFile=$L/slurmdbd.log
PidFile=$R/slurmdbd.pid
DebugLevel=info
C
  )
  if ! alive "$R/slurmdbd.pid" slurmdbd; then
    rm -f "$R/slurmdbd.pid"
    daemon slurmdbd >>"$L/slurmdbd.out" 2>&1
  fi
  wait_for 30 slurmdbd sacctmgr -n list cluster
  [ -n "$(sacctmgr -nP list cluster rig format=cluster 9>&-)" ] || acct_do add cluster rig
  [ "$RIG_MAX_SUBMIT" = 0 ] || limit_users
}

limit_users() { # at most RIG_MAX_SUBMIT jobs of each ordinary user in the queue
  local u
  acct_do add account study cluster=rig
  acct_do add user root account=study cluster=rig
  for ((i=1; i<=RIG_SSH_HOSTS; i++)); do
    u=$RIG_USER_PREFIX$i
    acct_do add user "$u" account=study cluster=rig
    acct_do modify user where "name=$u" cluster=rig set "MaxSubmitJobs=$RIG_MAX_SUBMIT"
  done
}
acct_do() { sacctmgr -iQ "$@" >>"$L/sacctmgr.out" 2>&1 9>&- || true; }   # "nothing new" is rc 1
