# The pool: collector, negotiator, schedd and startd of one machine, on loopback, run by a user of their own.
C=$RIG_DIR/condor; X=$CONDOR_ROOT/root/usr

pool_port() { # its one TCP port, the same as before; the login server has the next one
  local port=19618
  if [ ! -s "$RIG_DIR/port" ]; then
    exec 8>>/run/lock/tapisjobs-condor-ports; flock 8
    while id "rigcondor$port" >/dev/null 2>&1 || (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port+2)); done
    useradd -m -s /bin/bash "rigcondor$port" 8>&- 9>&-
    echo "$port" >"$RIG_DIR/port"
    exec 8>&-
  fi
  cat "$RIG_DIR/port"
}
make_pool_user() { # his login shell finds the pool's commands, another one does not
  make_user "$POOL_USER" /bin/bash
  printf 'export CONDOR_CONFIG=%s\nexport PATH=%s/bin:%s/sbin:$PATH\n' "$C/condor_config" "$X" "$X" \
    >"/home/$POOL_USER/.profile"
  chown "$POOL_USER:" "/home/$POOL_USER/.profile"
}
as_pool_user() {
  runuser -u "$POOL_USER" -- env -i HOME="/home/$POOL_USER" USER="$POOL_USER" LOGNAME="$POOL_USER" LANG=C.UTF-8 \
    PATH="$X/bin:$X/sbin:/usr/local/bin:/usr/bin:/bin" CONDOR_CONFIG="$C/condor_config" "$@"
}
write_pool_config() {
  cat >"$C/condor_config.new" <<CONF
RELEASE_DIR = $X
BIN = $X/bin
SBIN = $X/sbin
LIB = $X/lib/condor
LIBEXEC = $X/libexec/condor
SHARE = $X/share/condor
ETC = $C
LOCAL_DIR = $C
LOG = $C/log
SPOOL = $C/spool
EXECUTE = $C/execute
RUN = $C/run
LOCK = $C/run
LOCAL_CONFIG_DIR =
LOCAL_CONFIG_FILE =
REQUIRE_LOCAL_CONFIG_FILE = False

# loopback only, one TCP port
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:$PORT
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
NO_DNS = True
DEFAULT_DOMAIN_NAME = rig.test
UID_DOMAIN = rig.test
FILESYSTEM_DOMAIN = rig.test
USE_SHARED_PORT = True
SHARED_PORT_PORT = $PORT
DAEMON_LIST = MASTER SHARED_PORT COLLECTOR NEGOTIATOR SCHEDD STARTD
CONDOR_ADMIN =
SCHEDD_NAME = rig@

# who may talk: processes of the pool's own user, proven by who owns a file
SEC_DEFAULT_AUTHENTICATION = REQUIRED
SEC_DEFAULT_AUTHENTICATION_METHODS = FS
SEC_CLIENT_AUTHENTICATION_METHODS = FS
SEC_DEFAULT_INTEGRITY = REQUIRED
ALLOW_READ = *
ALLOW_WRITE = $POOL_USER@rig.test
ALLOW_NEGOTIATOR = $POOL_USER@rig.test
ALLOW_DAEMON = $POOL_USER@rig.test
ALLOW_ADMINISTRATOR = $POOL_USER@rig.test
ALLOW_CONFIG =

# run anything, at once, on pretended cores
NUM_CPUS = $CONDOR_CPUS
MEMORY = $((CONDOR_CPUS * 1024))
RESERVED_DISK = 0
NUM_SLOTS = 1
NUM_SLOTS_TYPE_1 = 1
SLOT_TYPE_1 = 100%
SLOT_TYPE_1_PARTITIONABLE = True
CLAIM_PARTITIONABLE_LEFTOVERS = True
use POLICY : Always_Run_Jobs
START = True
RUNBENCHMARKS = False
JOB_DEFAULT_REQUESTMEMORY = 64
JOB_DEFAULT_REQUESTDISK = 1024
JOB_DEFAULT_REQUESTCPUS = 1

# a start, and the end of a claim, within a second or two; a site waits minutes
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_MIN_INTERVAL = 1
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 2
SCHEDD_MIN_INTERVAL = 1
UPDATE_INTERVAL = 5
POLLING_INTERVAL = 2
JOB_START_COUNT = 100
JOB_START_DELAY = 0
CLAIM_WORKLIFE = 3600
STARTER_UPDATE_INTERVAL = 5
STARTER_INITIAL_UPDATE_INTERVAL = 1
SHADOW_QUEUE_UPDATE_INTERVAL = 5
SHADOW_LAZY_QUEUE_UPDATE = False
QUEUE_CLEAN_INTERVAL = 3600
PERIODIC_EXPR_INTERVAL = 2
MAX_PERIODIC_EXPR_INTERVAL = 5
SYSTEM_PERIODIC_REMOVE =
JOB_DEFAULT_LEASE_DURATION = 60
ALIVE_INTERVAL = 20
MAX_DEFAULT_LOG = 20 Mb
CONF
  mv "$C/condor_config.new" "$C/condor_config"
  chown -R "$POOL_USER:" "$C"/{log,spool,execute,run}
}
pool_lives() {
  local pid; pid=$(cat "$C/run/master.pid" 2>/dev/null) && ! ended "$pid" &&
    grep -q condor_master "/proc/$pid/cmdline" 2>/dev/null
}
start_pool() {
  pool_lives || as_pool_user "$X/sbin/condor_master" -pidfile "$C/run/master.pid" 9>&-
}
pool_answers() {
  [ -n "$(as_pool_user condor_status -af Name)" ] && [ -n "$(as_pool_user condor_status -schedd -af Name)" ]
}
make_pool_login() { # pool: a login server for the pool's user
  local name
  mkdir -p /run/sshd; chmod 755 /run/sshd
  [ -s "$KEY" ] || ssh-keygen -q -t ed25519 -N '' -C rig -f "$KEY" 9>&-
  for name in known_hosts config hosts; do : >"$RIG_DIR/ssh/$name.new"; done
  # Not the SLURM_CONF of a cluster that is not there: its commands would look for it for a minute.
  add_login pool $((PORT+1)) "$POOL_USER" "SetEnv RIG_HOST=pool"
  for name in known_hosts config hosts; do mv "$RIG_DIR/ssh/$name.new" "$RIG_DIR/ssh/$name"; done
  start_sshd pool
}
describe_pool() {
  printf '{"user":"%s","home":"/home/%s","config":"%s","path":"%s","ssh_key":"%s","known_hosts":"%s","hosts":[%s]}\n' \
    "$POOL_USER" "$POOL_USER" "$C/condor_config" "$X/bin:$X/sbin" "$KEY" "$RIG_DIR/ssh/known_hosts" \
    "$(paste -sd, "$RIG_DIR/ssh/hosts")"
}
