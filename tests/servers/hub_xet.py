"""The store of chunks that `hf_xet` keeps in a local folder, read back by SHA-256; for the server of `hub.py`."""

from __future__ import annotations

import struct
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HEADER, ENTRY = 48, 48
LAST = b"\xff" * 32
VERIFIED, EXTENDED = 1 << 31, 1 << 30


class Chunks:
    """A folder that clients write to by way of `local://`; the Hub only learns digests of whole files."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._read, self._whole = folder, {}, {}
        self._seen: set[Path] = set()

    @property
    def address(self) -> str:
        return f"local://{self.folder}"

    def known(self, sha256: str) -> tuple[str, int] | None:
        """Xet's own hash and the size in bytes of a file, None where it was never uploaded."""
        if sha256 not in self._whole:
            for path in sorted(self.folder.rglob("*.mdb")):
                if path not in self._seen:
                    self._whole |= _files_of(path.read_bytes())
                    self._seen.add(path)
        return self._whole.get(sha256)

    def read(self, sha256: str) -> bytes:
        """The bytes of a file."""
        if sha256 not in self._read:
            hf_xet: Any = import_module("hf_xet")  # it has no types

            known = self.known(sha256)
            assert known is not None, f"{sha256} was never uploaded"
            target = self.folder.parent / f"read-{sha256}"
            expires = int(time.time()) + 3600
            session = hf_xet.XetSession()
            with session.new_file_download_group(self.address, "token", token_expiry_unix_secs=expires) as group:
                group.start_download_file(hf_xet.XetFileInfo(*known), str(target))
            self._read[sha256] = target.read_bytes()
            target.unlink()
        return self._read[sha256]


def _files_of(shard: bytes) -> dict[str, tuple[str, int]]:
    """SHA-256 → xet hash and bytes, from the section of a metadata shard that lists files."""
    found, at = {}, HEADER
    while (own := shard[at : at + 32]) != LAST:
        flags, segments = struct.unpack("<II", shard[at + 32 : at + 40])
        at += ENTRY
        size = sum(struct.unpack("<I", shard[at + ENTRY * i + 36 : at + ENTRY * i + 40])[0] for i in range(segments))
        at += ENTRY * segments * (2 if flags & VERIFIED else 1)
        if flags & EXTENDED:
            found[_hex(shard[at : at + 32])] = (_hex(own), size)
            at += ENTRY
    return found


def _hex(hashed: bytes) -> str:
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", hashed))
