# The login servers. Each is a real sshd on a port of its own; hosts.json tells how to get in.
KEY=$RIG_DIR/ssh/id_ed25519

make_user() { # make_user NAME SHELL
  id "$1" >/dev/null 2>&1 || { useradd -m -s "$2" "$1" 9>&-; echo "$1" >>"$RIG_DIR/users_created"; }
  # '*' = no password but not locked; sshd without PAM refuses accounts whose field starts with '!'
  case $(getent shadow "$1" | cut -d: -f2) in '!'*) usermod -p '*' "$1" 9>&-;; esac
}
give_password() { # give_password USER: the same as before where there is one
  local file=$RIG_DIR/ssh/$1.password
  [ -s "$file" ] || (umask 077; head -c 12 /dev/urandom | base64 | tr -d '/+=\n' >"$file")
  usermod -p "$(openssl passwd -6 -stdin <"$file")" "$1" 9>&-
}

# add_login NAME PORT USER [MORE LINES OF sshd_config]: configuration, host key, entry in hosts and known_hosts
add_login() {
  local name=$1 port=$2 user=$3 more=${4:-}
  write_sshd_config "$name" "$port" "$user" "$more"
  describe_login "$name" "$port" "$user" "$name"
  know_host "$name" "$port"
}
know_host() { # know_host NAME PORT
  echo "[127.0.0.1]:$2 $(cut -d' ' -f1,2 "$RIG_DIR/ssh/$1/host_key.pub")" >>"$RIG_DIR/ssh/known_hosts.new"
}
write_sshd_config() {
  local name=$1 port=$2 user=$3 more=$4 dir=$RIG_DIR/ssh/$1
  mkdir -p "$dir"
  [ -s "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$dir/host_key" 9>&-
  [ -e "$dir/authorized_keys" ] || install -m 644 "$KEY.pub" "$dir/authorized_keys"
  { [ -z "$more" ] || printf '%s\n' "$more"   # the first line of a setting wins
    cat <<C
ListenAddress 127.0.0.1
Port $port
HostKey $dir/host_key
PidFile $R/sshd.$name.pid
AuthorizedKeysFile $dir/authorized_keys
# the key file lies under a world-writable folder when RIG_DIR is in /tmp
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin prohibit-password
AllowUsers root $user
UseDNS no
PrintMotd no
X11Forwarding no
MaxSessions 10
MaxStartups 100:30:200
LogLevel VERBOSE
Subsystem sftp /usr/lib/openssh/sftp-server
SetEnv SLURM_CONF=$SLURM_CONF RIG_HOST=$name
C
  } >"$dir/sshd_config"
}
# describe_login NAME PORT USER SSHD [JUMP]
describe_login() {
  local password=$RIG_DIR/ssh/$3.password secret=$RIG_DIR/ssh/$3.totp
  printf '{"name":"%s","host":"127.0.0.1","port":%d,"user":"%s","daemon":"sshd.%s","pidfile":"%s"' \
    "$1" "$2" "$3" "$4" "$R/sshd.$4.pid" >>"$RIG_DIR/ssh/hosts.new"
  [ -s "$password" ] && printf ',"password":"%s"' "$(<"$password")" >>"$RIG_DIR/ssh/hosts.new"
  [ -s "$secret" ] && printf ',"totp_secret":"%s"' "$(<"$secret")" >>"$RIG_DIR/ssh/hosts.new"
  [ -n "${5:-}" ] && printf ',"jump":"%s"' "$5" >>"$RIG_DIR/ssh/hosts.new"
  echo '}' >>"$RIG_DIR/ssh/hosts.new"
  cat >>"$RIG_DIR/ssh/config.new" <<C
Host $1
  HostName 127.0.0.1
  Port $2
  User $3
  IdentityFile $KEY
  IdentitiesOnly yes
  UserKnownHostsFile $RIG_DIR/ssh/known_hosts
  StrictHostKeyChecking yes
C
  [ -n "${5:-}" ] && echo "  ProxyJump $5" >>"$RIG_DIR/ssh/config.new"
  return 0
}
start_sshd() { # start_sshd NAME [BINARY]
  alive "$R/sshd.$1.pid" sshd && return
  rm -f "$R/sshd.$1.pid"
  daemon "${2:-/usr/sbin/sshd}" -f "$RIG_DIR/ssh/$1/sshd_config" -E "$L/sshd.$1.log" >>"$L/sshd.$1.out" 2>&1
}

ordinary_logins() { # login1, login2, …: a key opens them
  local i
  for ((i=1; i<=RIG_SSH_HOSTS; i++)); do
    make_user "$RIG_USER_PREFIX$i" /bin/bash
    add_login "login$i" $((P_SSH+i)) "$RIG_USER_PREFIX$i"
    start_sshd "login$i"
  done
}
secret_logins() { # password: a password only; otp: a password, then a one-time code, both asked by PAM
  local word=rigword$BASE code=rigcode$BASE service=sshd-rig$BASE
  make_user "$word" /bin/bash; give_password "$word"
  add_login password $((P_SSH+11)) "$word" "PasswordAuthentication yes
PubkeyAuthentication no"
  start_sshd password

  make_user "$code" /bin/bash; give_password "$code"
  (umask 077
   [ -s "$RIG_DIR/ssh/$code.totp" ] || head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$RIG_DIR/ssh/$code.totp"
   [ -s "$RIG_DIR/ssh/oath" ] || echo "HOTP/T30/6 $code - $(<"$RIG_DIR/ssh/$code.totp")" >"$RIG_DIR/ssh/oath")
  # sshd takes the name of its PAM service from its own: a link gives it one of its own.
  ln -sf /usr/sbin/sshd "$RIG_DIR/ssh/$service"
  cat >"/etc/pam.d/$service" <<C
auth required pam_unix.so
auth required pam_oath.so usersfile=$RIG_DIR/ssh/oath window=50 digits=6
account required pam_permit.so
session required pam_permit.so
C
  add_login otp $((P_SSH+12)) "$code" "UsePAM yes
KbdInteractiveAuthentication yes
AuthenticationMethods keyboard-interactive"
  start_sshd otp "$RIG_DIR/ssh/$service"
}
odd_logins() { # noisy: banner and a talkative .bashrc; csh: the same banner and a talkative tcsh
  local noisy=rignoisy$BASE csh=rigcsh$BASE
  printf '*** Authorised use only. ***\nThis banner has $(signs) and "quotes".\n' >"$RIG_DIR/ssh/banner"
  make_user "$noisy" /bin/bash; make_user "$csh" /bin/tcsh
  printf 'echo "Welcome to the noisy host"\necho "quota: 90%% used" >&2\n' >"/home/$noisy/.bashrc"
  printf 'echo "Welcome to the csh host"\nsh -c "echo quota: 90%% used >&2"\n' >"/home/$csh/.cshrc"
  chown "$noisy:" "/home/$noisy/.bashrc"; chown "$csh:" "/home/$csh/.cshrc"
  add_login noisy $((P_SSH+13)) "$noisy" "AllowUsers $csh
Banner $RIG_DIR/ssh/banner"
  describe_login csh $((P_SSH+13)) "$csh" noisy
  start_sshd noisy
}
inner_login() { # inner: lets in only who comes from login1
  local inner=riginner$BASE port=$((P_SSH+14))
  make_user "$inner" /bin/bash
  write_sshd_config inner "$port" "$inner" ""
  describe_login inner "$port" "$inner" inner login1
  know_host inner "$port"
  alive "$R/sshd.inner.pid" sshd && return
  rm -f "$R/sshd.inner.pid"
  resident "$HERE/parts/door" "$port" "$(id -u "${RIG_USER_PREFIX}1")" "$R/sshd.inner.pid" \
    /usr/sbin/sshd -i -f "$RIG_DIR/ssh/inner/sshd_config" -E "$L/sshd.inner.log" >>"$L/sshd.inner.out" 2>&1
}

make_logins() {
  local name
  mkdir -p /run/sshd; chmod 755 /run/sshd
  [ -s "$KEY" ] || ssh-keygen -q -t ed25519 -N '' -C rig -f "$KEY" 9>&-
  for name in known_hosts config hosts; do : >"$RIG_DIR/ssh/$name.new"; done
  ordinary_logins
  [ "$RIG_OTP" = 0 ] || secret_logins
  [ "$RIG_ODD" = 0 ] || odd_logins
  [ "$RIG_JUMP" = 0 ] || inner_login
  for name in known_hosts config hosts; do mv "$RIG_DIR/ssh/$name.new" "$RIG_DIR/ssh/$name"; done
}
wait_for_logins() {
  local i
  for ((i=1; i<=RIG_SSH_HOSTS; i++)); do
    wait_for 10 "login$i" ssh -F "$RIG_DIR/ssh/config" -o BatchMode=yes -o ConnectTimeout=3 "login$i" true
  done
  for i in "$R"/sshd.*.pid; do wait_for 10 "$i" alive "$i" sshd; done
}
