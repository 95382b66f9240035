# shellcheck shell=bash
# Apptainer, repacked: Debian has it in sid only, whose package wants one symbol of a newer C library than
# bookworm's. Its two programs get that suite's libc6 as a private copy: interpreter and RPATH are set with
# patchelf (RPATH, not RUNPATH: apptainer sets LD_LIBRARY_PATH for unsquashfs, which must still find its own libc).
# It becomes a .deb, so that dpkg knows; the system's C library and apt lists are not touched.
GLIBC_DIR=/usr/lib/apptainer-glibc

# apt with lists, sources and cache of its own
apt_suite() {
  local r=$V/cache/apt cmd=$1; shift
  mkdir -p "$r"/{lists/partial,archives/partial}
  sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\/debian\)\/\{0,1\}$/\1/p; s/^deb .*\(http[^ ]*\/debian\)\/\{0,1\} .*/\1/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -1 >"$r/base"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(cat "$r/base") $APPTAINER_SUITE main" >"$r/sources.list"
  "$cmd" -q -o Dir::State::Lists="$r/lists" -o Dir::Etc::SourceList="$r/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::PreferencesParts=/dev/null -o Dir::Cache="$r" -o Dir::Cache::archives="$r/archives" \
    -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}

make_apptainer_deb() { ( # in a subshell: it changes the directory
  local w=$V/cache/apptainer version program
  rm -rf "$w"; mkdir -p "$w" && cd "$w" || return 1
  say "fetching apptainer and libc6 of suite $APPTAINER_SUITE"
  logged apt_suite apt-get update || return 1
  logged apt_suite apt-get download apptainer libc6 || return 1
  dpkg -x apptainer_*.deb pk && dpkg -x libc6_*.deb libc || return 1
  version=$(dpkg-deb -f apptainer_*.deb Version)
  mkdir -p pk$GLIBC_DIR pk/DEBIAN
  cp -a libc/usr/lib/x86_64-linux-gnu/*.so* pk$GLIBC_DIR/ || return 1
  for program in pk/usr/bin/apptainer pk/usr/lib/x86_64-linux-gnu/apptainer/bin/starter; do
    patchelf --force-rpath --set-interpreter $GLIBC_DIR/ld-linux-x86-64.so.2 --set-rpath $GLIBC_DIR "$program" || return 1
  done
  rm -rf pk/usr/share/man pk/usr/share/doc/apptainer/examples
  ln -sf apptainer pk/usr/bin/singularity
  dpkg-deb -e apptainer_*.deb ctl && cp ctl/conffiles pk/DEBIAN/ 2>/dev/null
  cat >pk/DEBIAN/control <<C
Package: apptainer
Version: $version+rig1
Architecture: amd64
Maintainer: rig <root@localhost>
Depends: ca-certificates, squashfs-tools, uidmap, libc6 (>= 2.36), libseccomp2, libsqlite3-0
Provides: singularity-container
Section: admin
Priority: optional
Description: apptainer of suite $APPTAINER_SUITE with a private C library
C
  logged dpkg-deb --root-owner-group -Zgzip -z1 -b pk "$V/cache/apptainer-rig.deb" || return 1
  cd / && rm -rf "$w"
) }

has_apptainer() { apptainer version >/dev/null 2>&1 && singularity --version >/dev/null 2>&1; }

install_apptainer() {
  local deb=${APPTAINER_DEB:-$V/cache/apptainer-rig.deb}
  if ! has_apptainer; then
    [ -s "$deb" ] || make_apptainer_deb || { say "apptainer cannot be fetched or repacked, see $LOG"; return 1; }
    local pause
    for pause in 1 2 4 8 16 0; do logged dpkg -i "$deb" && break; sleep $pause; done
    has_apptainer || { say "apptainer is installed and does not start, see $LOG"; return 1; }
  fi
}

configure_apptainer() {
  # SIF files of ordinary users go through squashfuse.
  [ -c /dev/fuse ] && [ "$(stat -c %a /dev/fuse)" != 666 ] && chmod 666 /dev/fuse
  # Without CAP_SYS_RESOURCE (24) root cannot give a container all capabilities.
  local held; held=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
  if [ $(( (0x$held >> 24) & 1 )) = 0 ] && grep -q '^root default capabilities = full' /etc/apptainer/apptainer.conf 2>/dev/null; then
    sed -i 's/^root default capabilities = full/root default capabilities = file/' /etc/apptainer/apptainer.conf
  fi
  return 0
}
