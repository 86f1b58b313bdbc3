"""The journal: what was acknowledged is on disk, and a crash loses none of it.

A journal holds one kind of request in segment files. A segment is a row of frames: a header, then one request's bytes.
The header is itself a protobuf field (number 2047, which no schema of ours or the engine's knows) that holds the
request's length and checksum. So a segment can be walked and checked frame by frame, and is at the same time one big
protobuf message: repeated fields of concatenated messages merge (Protocol Buffers encoding, "Last One Wins").

A file whose segment is stored is written over for a later one: its pages are in memory and its blocks on disk, so that
writing costs half. Until it is read, what an earlier segment left stands behind the end. So each checksum carries the
name of its segment, and what has another's is no frame.

One thread writes: it takes all requests that wait, writes them with one call, calls `fdatasync` once, and resolves
their futures (group commit).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import xxhash

from pilothouse.replacing import replace_file
from pilothouse.signals.errors import OverloadedError

log = structlog.get_logger(__name__)
_TAG = b"\xfa\x7f\x14"  # field 2047, length-delimited, 20 bytes
_HEADER = len(_TAG) + 20
_BATCH = 256  # requests in one write; four buffers each must not be more than IOV_MAX (1024)
SUFFIX = ".segment"
_SPARE = ".spare"
_MOST_SPARES, _LEAST_SPARE = 2, 1_000_000  # files of a kind; bytes of one
AHEAD = b"\x8a\x7d"
"""How a frame begins that the door put ahead of a request: field 2001, which no request begins with."""


@dataclass(slots=True)
class Segment:
    """A file of frames; `size` counts whole frames only, `marks` is what the door noted about its requests.

    A recovered segment has lost its marks.
    """

    path: Path
    size: int = 0
    recovered: bool = False
    marks: set[str] = field(default_factory=set)
    opened: float = 0.0

    @property
    def token(self) -> str:
        """The name under which the engine stores it once."""
        return self.path.stem


@dataclass(slots=True)
class _Waiting:
    payload: bytes
    marks: frozenset[str]
    ahead: bytes
    known: bytes
    written: Future[None]

    def frames(self, seal: int) -> tuple[bytes, ...]:
        """What is written into the segment with this seal, in order."""
        frame = _header(self.payload, self.known or digest(self.payload), seal), self.payload
        return (_header(self.ahead, digest(self.ahead), seal), self.ahead, *frame) if self.ahead else frame


class Journal:
    """The segments of one kind of request in a directory.

    `append` may be called from any thread. The open segment is taken with `seal`; a taken segment is deleted with
    `remove` once it is stored. Not more than `max_bytes` may wait to be stored.
    """

    def __init__(
        self, directory: Path, kind: str, max_bytes: int = 2_000_000_000, segment_bytes: int = 64_000_000
    ) -> None:
        self.kind = kind
        self._segment_bytes = segment_bytes
        self._directory = directory
        self._max_bytes = max_bytes
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._arrived = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._segment_lock = threading.Lock()
        self._open: Segment | None = None
        self._full: deque[Segment] = deque()
        self._file = -1
        self._last_name = 0
        self._spares: list[tuple[float, Path]] = []
        for left in directory.glob(f"{kind}-*{_SPARE}"):
            left.unlink()
        self._kept_bytes = 0
        self._stopping = False
        self.on_segment: Callable[[], None] = lambda: None
        self._writer = threading.Thread(target=self._write_forever, name=f"journal-{kind}", daemon=True)
        self._writer.start()

    @property
    def kept_bytes(self) -> int:
        """Bytes on disk that are not stored yet."""
        return self._kept_bytes

    def append(
        self, payload: bytes, marks: frozenset[str] = frozenset(), ahead: bytes = b"", known: bytes = b""
    ) -> Future[None]:
        """Write one request; the future is done when it is on disk, or has the error that kept it from there.

        `ahead` is a frame of its own before it: what the door adds must not change the digest by which a request that
        is sent again is known, and must be there whenever the request is. `known` is that digest, where it was made.
        """
        written: Future[None] = Future()
        with self._arrived:
            if self._stopping:
                raise OverloadedError("the server is stopping", retry_after=5)
            if self._kept_bytes + self._waiting_bytes + len(payload) + len(ahead) > self._max_bytes:
                raise OverloadedError(
                    f"{self.kind}: {self._kept_bytes // 1_000_000} MB are waiting to be stored", retry_after=5
                )
            self._waiting.append(_Waiting(payload, marks, ahead, known, written))
            self._waiting_bytes += len(payload) + len(ahead)
            self._arrived.notify()
        return written

    def oldest(self) -> tuple[float, int]:
        """When (monotonic) the next segment to take was begun, and its size; (0, 0) when there is none."""
        with self._segment_lock:
            segment = self._full[0] if self._full else self._open
            return (segment.opened, segment.size) if segment else (0.0, 0)

    def seal(self) -> Segment | None:
        """Take the oldest segment; if that is the open one, the next request starts a new one."""
        with self._segment_lock:
            return self._full.popleft() if self._full else self._close_open()

    def _close_open(self) -> Segment | None:
        segment, self._open = self._open, None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        return segment

    @staticmethod
    def trim(segment: Segment) -> None:
        """Cut off what an earlier segment left behind the end, before the engine reads it; raises `OSError`."""
        if segment.path.stat().st_size > segment.size:
            os.truncate(segment.path, segment.size)

    def release(self, segment: Segment) -> None:
        """Count a segment as stored; its file stays until it is removed."""
        self._kept_bytes -= segment.size
        segment.size = 0

    def remove(self, segment: Segment) -> None:
        """Forget a segment that is stored; its file may be used again."""
        self.release(segment)
        with self._segment_lock, contextlib.suppress(FileNotFoundError):
            # A recovered one may have been written before checksums carried a name.
            few = len(self._spares) < _MOST_SPARES and not (segment.recovered or self._stopping)
            if few and segment.path.stat().st_size >= _LEAST_SPARE:
                self._spares.append((time.monotonic(), segment.path.rename(segment.path.with_suffix(_SPARE))))
            else:
                segment.path.unlink()

    def drop_spares(self, after: float) -> None:
        """Delete the files that waited for so many seconds to be used again."""
        with self._segment_lock:
            while self._spares and self._spares[0][0] + after <= time.monotonic():
                self._spares.pop(0)[1].unlink(missing_ok=True)

    def oldest_spare(self) -> float | None:
        """Since when (monotonic) a file waits to be used again; None when none does."""
        with self._segment_lock:
            return self._spares[0][0] if self._spares else None

    def recover(self) -> Iterator[tuple[Segment, list[bytes]]]:
        """The segments that an earlier process left, oldest first, each with its requests' digests.

        A torn end is cut off: nobody was told that it arrived. Where whole frames of the segment stand behind a place
        that is not whole, the file is damaged: they are kept, and the file as it was is set aside.
        """
        for path in sorted(self._directory.glob(f"{self.kind}-*{SUFFIX}")):
            if self._open and path == self._open.path:
                continue
            size, digests = _intact(path)
            if size < path.stat().st_size and (behind := _behind(path, size)):
                _mend(path, size, behind)
                size, digests = _intact(path)
            if size < path.stat().st_size:
                os.truncate(path, size)
            if not digests:
                path.unlink()
                continue
            self._kept_bytes += size
            yield Segment(path, size, recovered=True), digests

    def close(self) -> None:
        """Write what waits and stop the writer."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify()
        self._writer.join()

    def _write_forever(self) -> None:
        while True:
            with self._arrived:
                while not self._waiting and not self._stopping:
                    self._arrived.wait()
                if not self._waiting:
                    return
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                self._waiting_bytes -= sum(len(item.payload) + len(item.ahead) for item in batch)
            self._commit(batch)

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            turned = self._write(batch)
        except OSError as error:
            failure = OverloadedError(f"the journal cannot be written: {error.strerror}", retry_after=10)
            for item in batch:
                item.written.set_exception(failure)
            return
        for item in batch:
            item.written.set_result(None)
        if turned:
            self.on_segment()

    def _write(self, batch: list[_Waiting]) -> bool:
        """Whether a segment began or is full: only then is there anything new for who stores them."""
        with self._segment_lock:
            segment = self._open or self._start()
            seal = _seal(segment.token)
            buffers = [part for item in batch for part in item.frames(seal)]
            began = not segment.size
            try:
                _write_all(self._file, buffers)
                os.fdatasync(self._file)
            except OSError:
                # Half a batch must not stay between whole frames.
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, segment.size)
                    os.lseek(self._file, segment.size, os.SEEK_SET)
                raise
            added = sum(map(len, buffers))
            segment.size += added
            segment.marks.update(*(item.marks for item in batch))
            self._kept_bytes += added
            if segment.size >= self._segment_bytes:
                # A segment becomes one block in the engine's memory: it must not grow while the engine is busy.
                self._full.append(segment)
                self._close_open()
                return True
            return began

    def _start(self) -> Segment:
        # No name comes twice, whatever becomes of the clock: a name tells a segment's frames from another's.
        self._last_name = max(time.time_ns(), self._last_name + 1)
        path = self._directory / f"{self.kind}-{self._last_name:020d}{SUFFIX}"
        self._file = self._used_again(path)
        if self._file < 0:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        # The new name must be on disk before anything of the old content is written over.
        _sync_directory(self._directory)
        self._open = Segment(path, opened=time.monotonic())
        return self._open

    def _used_again(self, path: Path) -> int:
        """A spare file under this name, open; -1 when there is none."""
        while self._spares:
            _, spare = self._spares.pop()
            with contextlib.suppress(FileNotFoundError):
                spare.rename(path)
                return os.open(path, os.O_WRONLY)
        return -1


def digest(payload: bytes) -> bytes:
    """The 16 bytes that tell one request from another."""
    return xxhash.xxh3_128_digest(payload)


def _header(payload: bytes, known: bytes, seal: int = 0) -> bytes:
    checksum = (int.from_bytes(known, "little") ^ seal).to_bytes(16, "little") if seal else known
    return _TAG + len(payload).to_bytes(4, "little") + checksum


def _seal(token: str) -> int:
    """What the checksums of a segment's frames differ by from their requests' digests."""
    return int.from_bytes(digest(token.encode()), "little")


def _write_all(file: int, buffers: list[bytes]) -> None:
    written = os.writev(file, buffers)
    if written == sum(map(len, buffers)):
        return
    rest = memoryview(b"".join(buffers))[written:]
    while rest:
        rest = rest[os.write(file, rest) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _intact(path: Path) -> tuple[int, list[bytes]]:
    """The length of the whole frames at the head of a file, and the digests of the requests among them."""
    place, digests = 0, []
    for payload, known in _known_frames(path):
        place += _HEADER + len(payload)
        if not payload.startswith(AHEAD):
            digests.append(known)
    return place, digests


def _behind(path: Path, place: int) -> list[tuple[int, int]]:
    """From where to where whole frames of this very segment stand behind a place.

    Those of others are what the file is written over.
    """
    found, seal = list[tuple[int, int]](), _seal(path.stem)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_TAG, place)
        while at >= 0:
            header = content[at : at + _HEADER]
            end = at + _HEADER + int.from_bytes(header[3:7], "little")
            payload = content[at + _HEADER : end]
            whole = end <= len(content) and header == _header(payload, digest(payload), seal)
            if whole:
                found.append((at, end))
            at = content.find(_TAG, end if whole else at + 1)
    return found


def _mend(path: Path, size: int, behind: list[tuple[int, int]]) -> None:
    """The segment without what is damaged in it; as it was, it goes to `aside`, for people to look at."""
    content = path.read_bytes()
    aside = path.parent / "aside"
    aside.mkdir(exist_ok=True)
    replace_file(aside / f"damaged-{path.name}", content, 0o600)
    replace_file(path, content[:size] + b"".join(content[start:end] for start, end in behind), 0o600, durable=True)
    damaged = behind[-1][1] - size - sum(end - start for start, end in behind)
    log.error("a segment of the journal is damaged", file=path.name, at=size, damaged_bytes=damaged, kept=len(behind))


def frames(path: Path) -> Iterator[bytes]:
    """The requests of a segment, up to where it is torn."""
    for payload, _ in _known_frames(path):
        yield payload


def _known_frames(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The requests of a segment with their digests. Those that carry no name are from before there was one in them."""
    seal = _seal(path.stem)
    with path.open("rb") as file:
        while (header := file.read(_HEADER)).startswith(_TAG) and len(header) == _HEADER:
            length = int.from_bytes(header[3:7], "little")
            payload = file.read(length)
            known = digest(payload)
            if len(payload) < length or header not in (_header(payload, known, seal), _header(payload, known)):
                return
            yield payload, known


def framed(payload: bytes) -> bytes:
    """One request as a file of its own holds it: without the name of a segment."""
    return _header(payload, digest(payload)) + payload
