# shellcheck shell=bash
# One tiny image (busybox and a static bash), as docker archive, SIF and sandbox; loaded where it is run.

build_images() {
  local stamp r=$C/rootfs a
  stamp=$(cat "$HERE/tinyapp" "$HERE/docker_archive.py" "$HERE/parts/container_images.sh" | cksum)
  if [ "$(cat "$C/stamp" 2>/dev/null)" != "$stamp" ]; then
    say "making the images"
    rm -rf "$C"; mkdir -p "$r"
    (cd "$r" && mkdir -p bin sbin dev proc sys tmp etc root home mnt opt run srv usr/bin usr/local/bin var/tmp \
      TapisInput TapisOutput TapisExec) || return 1
    chmod 1777 "$r/tmp" "$r/var/tmp"
    cp /bin/busybox "$r/bin/busybox" && cp /bin/bash-static "$r/bin/bash" || return 1
    for a in $(/bin/busybox --list); do [ -e "$r/bin/$a" ] || ln -s busybox "$r/bin/$a"; done
    ln -s /bin/env "$r/usr/bin/env"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$r/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$r/etc/group"
    : >"$r/etc/hosts"; : >"$r/etc/resolv.conf"; : >"$r/etc/localtime"
    cp "$HERE/tinyapp" "$r/usr/local/bin/tinyapp" && chmod 755 "$r/usr/local/bin/tinyapp"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$r" -cf "$C/rootfs.tar" . || return 1
    python3 "$HERE/docker_archive.py" "$C/rootfs.tar" "$ARCHIVE" "$IMAGE" >"$C/id" || return 1
    echo "$stamp" >"$C/stamp"
  fi
  if command -v apptainer >/dev/null && { [ ! -s "$SIF" ] || [ ! -d "$SANDBOX" ]; }; then
    cat >"$C/tinyapp.def" <<D
Bootstrap: docker-archive
From: $ARCHIVE
%environment
  export TINYAPP=1
%runscript
  exec /usr/local/bin/tinyapp "\$@"
D
    logged apptainer build --force "$SIF" "$C/tinyapp.def" &&
      logged apptainer build --force --sandbox "$SANDBOX" "$SIF" || say "apptainer cannot build the image, see $LOG"
  fi
  chmod -R a+rX "$C"
}

load_images() {
  local id; id=$(<"$C/id")
  if answers && [ "$(DK image inspect -f '{{.Id}}' "$IMAGE" 2>/dev/null)" != "sha256:$id" ]; then
    logged DK load -i "$ARCHIVE"
  fi
  command -v podman >/dev/null || return 0
  [ "$(podman image inspect -f '{{.Id}}' "$IMAGE" 2>/dev/null)" = "$id" ] || logged podman load -q -i "$ARCHIVE"
  logged as_user "${RIG_USER_PREFIX}2" \
    "test \"\$(podman image inspect -f '{{.Id}}' $IMAGE 2>/dev/null)\" = $id || podman load -q -i $ARCHIVE"
}

as_user() { local user=$1; shift; timeout 90 su - "$user" -c "cd; $*" 9>&-; }
