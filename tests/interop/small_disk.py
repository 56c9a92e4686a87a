"""A data directory on a disk of its own that can be full: a tmpfs, in the mount namespace that the test has made."""

import ctypes
import errno
import os

from servers import Home

MIB = 1 << 20
MNT_DETACH = 2


class SmallDiskHome(Home):
    """A home whose data directory is a file system of `mib` MiB. Requires namespaces.enter()."""

    def __init__(self, mib=256):
        super().__init__()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"tmpfs", os.fsencode(self.data), b"tmpfs", 0, b"size=%dm,mode=0755" % mib) != 0:
            number = ctypes.get_errno()
            super().remove()
            raise OSError(number, f"mount of a tmpfs: {os.strerror(number)}")

    @property
    def _filler(self):
        return self.data / "filler"

    def fill(self):
        """Leave no room for anything."""
        with open(self._filler, "ab") as file:
            for step in (MIB, 4096):
                try:
                    while True:
                        end = os.fstat(file.fileno()).st_size
                        os.posix_fallocate(file.fileno(), end, step)
                except OSError as fault:
                    if fault.errno != errno.ENOSPC:
                        raise

    def empty(self):
        """Room again, if it was full."""
        self._filler.unlink(missing_ok=True)

    def remove(self):
        ctypes.CDLL(None).umount2(os.fsencode(self.data), MNT_DETACH)
        super().remove()
