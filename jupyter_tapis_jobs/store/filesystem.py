"""Whether a folder lies on a network file system, where SQLite's write-ahead log must not be used."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

#: The kernel's numbers of file systems that other machines share (``statfs(2)``, ``linux/magic.h``).
NETWORK_MAGICS = {
    0x6969: "nfs",
    0x517B: "smb",
    0xFF534D42: "cifs",
    0xFE534D42: "smb2",
    0x0BD00BD0: "lustre",
    0x47504653: "gpfs",
    0x19830326: "beegfs",
    0x00C36400: "ceph",
    0x5346414F: "afs",
    0x6B414653: "kafs",
    0x73757245: "coda",
    0x01021997: "9p",
    0x65735546: "fuse",
    0xAAD7AAEA: "panfs",
    0x01161970: "gfs2",
    0x7461636F: "ocfs2",
    0x20030528: "orangefs",
}


def on_network(folder: Path) -> bool:
    """Return True when *folder* is on a file system that may be shared between machines.

    The write-ahead log needs memory shared by all its users, which no network file system gives. FUSE
    counts too (sshfs is one). Where the kernel cannot be asked the answer is False.
    """
    return file_system_magic(folder) in NETWORK_MAGICS


def file_system_magic(folder: Path) -> int | None:
    """Return ``statfs(2)``'s ``f_type`` of *folder*, or None where it cannot be had."""
    if sys.platform != "linux":
        return None
    answer = ctypes.create_string_buffer(1024)
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(folder), answer) != 0:
        return None
    # f_type is the first field, a long; magics are 32 bits and may come sign-extended.
    return int.from_bytes(answer.raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder) & 0xFFFFFFFF
