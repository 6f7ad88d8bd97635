"""What kind of disk a file is on. SQLite's locks and shared memory do not hold on one that is reached over a network."""

import os
import re
from pathlib import Path

import structlog
from sqlalchemy import make_url

from okrgate.config import BadSettings, Settings

log = structlog.get_logger()

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    [
        "9p",
        "acfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.cifs",
        "fuse.davfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.goofys",
        "fuse.juicefs",
        "fuse.nfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.smbnetfs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
        "gfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "panfs",
        "prl_fs",
        "pvfs2",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "vmhgfs",
    ]
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def kind_of(path: Path, mounts: Path | None = None) -> str:
    """Return the type of the file system that a path is or would be on; "" where the system does not say."""
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = Path(os.path.realpath(path))
    best, found = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        words = before.split()
        if len(words) < 5 or not after:
            continue
        point = Path(_OCTAL.sub(lambda one: chr(int(one[1], 8)), words[4]))
        # A later mount on the same point hides the one before.
        if len(point.parts) >= best and real.is_relative_to(point):
            best, found = len(point.parts), after.split()[0]
    return found


def network_under(settings: Settings) -> str:
    """Return the type of the network file system that the SQLite file is on, or ""."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return ""
    kind = kind_of(Path(url.database))
    return kind if kind in _NETWORK else ""


def check(settings: Settings) -> None:
    """Refuse to start with SQLite on a network file system. Raises BadSettings, unless it is allowed: then it warns."""
    kind = network_under(settings)
    if not kind:
        return
    if settings.sqlite_on_network:
        log.warning("SQLite on a network file system", filesystem=kind)
        return
    raise BadSettings(
        f"The SQLite file of OKRGATE_DATABASE_URL is on a network file system ({kind}), where its locks do not hold:"
        " decisions could be lost. Put it on a local disk, or use PostgreSQL. If you know that only this host"
        " uses it and that its locks hold, set OKRGATE_SQLITE_ON_NETWORK=1."
    )
