# shellcheck shell=bash
# dockerd, podman and an image registry, without a change to the machine's network.

DK() { docker -H "unix://$RIG_DOCKER_SOCK" "$@"; }
answers() { timeout 5 docker -H "unix://$RIG_DOCKER_SOCK" version >/dev/null 2>&1; }

start_dockerd() {
  command -v dockerd >/dev/null || return 1
  answers && return 0
  local d=$V/docker driver p i
  mkdir -p "$d"
  p=$(pid_of $RUN/dockerd.pid dockerd) || rm -f $RUN/dockerd.pid
  [ -L "$RIG_DOCKER_SOCK" ] && rm -f "$RIG_DOCKER_SOCK"   # of podman-docker
  for driver in overlay2 vfs; do
    setsid dockerd -H "unix://$RIG_DOCKER_SOCK" --group docker --iptables=false --ip6tables=false --bridge=none \
      --ip-forward=false --ip-masq=false --storage-driver=$driver --data-root "$d/root" \
      --exec-root $RUN/exec --pidfile $RUN/dockerd.pid --log-level warn \
      >"$d/dockerd.log" 2>&1 </dev/null 9>&- &
    for ((i=0; i<100; i++)); do
      answers && { say "dockerd runs ($driver)"; return 0; }
      kill -0 $! 2>/dev/null || break
      sleep .2
    done
    say "dockerd with $driver does not come up: $(tail -1 "$d/dockerd.log" | cut -c1-200)"
    kill $! 2>/dev/null; wait $! 2>/dev/null
  done
  return 1
}

# runc, since crun 1.8 refuses mixed cgroup versions; limits no higher than ours, as raising one needs a capability
configure_podman() {
  local conf=/etc/containers/containers.conf
  # As udev makes it (50-udev-default.rules): containers of ordinary users get their network by it.
  [ ! -c /dev/net/tun ] || chmod 666 /dev/net/tun
  [ -d /etc/containers ] || return 0
  [ ! -e $conf ] || grep -q 'written by containers-up' $conf || return 0
  cat >$conf <<'C'
# written by containers-up
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=8192:8192"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
C
}

# The first user may use docker, the second one only podman, without rights of its own.
make_users() {
  local user file
  for user in "${RIG_USER_PREFIX}1" "${RIG_USER_PREFIX}2"; do
    id "$user" >/dev/null 2>&1 || { useradd -m -s /bin/bash "$user" && usermod -p '*' "$user"; }
    for file in /etc/subuid /etc/subgid; do
      grep -q "^$user:" $file 2>/dev/null || echo "$user:$((100000 + 65536 * ($(id -u "$user") % 4000))):65536" >>$file
    done
  done
  getent group docker >/dev/null || return 0
  id -nG "${RIG_USER_PREFIX}1" | grep -qw docker || usermod -aG docker "${RIG_USER_PREFIX}1"
}

registry_answers() { (: <"/dev/tcp/127.0.0.1/$RIG_REGISTRY_PORT") 2>/dev/null; }

start_registry() {
  command -v docker-registry >/dev/null || return 1
  local d=$V/registry i
  mkdir -p "$d"
  if ! registry_answers; then
    cat >"$d/registry.yml" <<C
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $d/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$RIG_REGISTRY_PORT"}
C
    setsid docker-registry serve "$d/registry.yml" >"$d/registry.log" 2>&1 </dev/null 9>&- &
    echo $! >$RUN/registry.pid
    for ((i=0; i<50; i++)); do registry_answers && break; sleep .1; done
  fi
  DK tag "$IMAGE" "$REGISTRY_IMAGE" && logged DK push "$REGISTRY_IMAGE"
}

# Unless tests use them at this moment: they hold a shared lock.
stop_engines() {
  local name pid i
  exec 8>>"$V/use"
  flock -n -x 8 || { say "in use: nothing is stopped"; return 0; }
  for name in dockerd:dockerd registry:docker-registry; do
    if pid=$(pid_of "$RUN/${name%%:*}.pid" "${name#*:}"); then
      kill "$pid"
      for ((i=0; i<100; i++)); do ended "$pid" && break; sleep .1; done
      say "stopped ${name#*:}"
    fi
    rm -f "$RUN/${name%%:*}.pid"
  done
  # Rootless podman leaves a process per user that keeps its name spaces.
  ! id "${RIG_USER_PREFIX}2" >/dev/null 2>&1 || logged as_user "${RIG_USER_PREFIX}2" podman system migrate
}
