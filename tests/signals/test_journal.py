"""The journal: what was acknowledged survives, what was torn goes, a full disk acknowledges nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.signals.errors import OverloadedError
from pilothouse.signals.journal import Journal, digest
from tests.thorough import part_of


def _payloads(path: Path) -> list[bytes]:
    """The requests of a segment, read by the format's description alone."""
    content, found = path.read_bytes(), []
    while content:
        assert content.startswith(b"\xfa\x7f\x14")
        length = int.from_bytes(content[3:7], "little")
        found.append(content[23 : 23 + length])
        content = content[23 + length :]
    return found


def test_appended_requests_are_on_disk_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    sent = [bytes([number]) * number for number in range(1, 200)]
    for written in [journal.append(payload) for payload in sent]:
        written.result(timeout=60)
    segment = journal.seal()
    assert segment is not None
    assert _payloads(segment.path) == sent
    assert segment.size == segment.path.stat().st_size == journal.kept_bytes
    journal.remove(segment)
    assert journal.kept_bytes == 0
    assert not list(tmp_path.iterdir())
    journal.close()


def test_sealing_starts_a_new_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    journal.append(b"one", frozenset({"a"})).result(timeout=60)
    first = journal.seal()
    journal.append(b"two", frozenset({"b"})).result(timeout=60)
    second = journal.seal()
    assert journal.seal() is None
    assert first
    assert second
    assert (_payloads(first.path), first.marks) == ([b"one"], {"a"})
    assert (_payloads(second.path), second.marks) == ([b"two"], {"b"})
    journal.close()


@settings(max_examples=part_of(40), deadline=None)
@given(payloads=st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=8), cut=st.integers(0, 400))
def test_a_torn_end_is_cut_off_and_the_rest_recovered(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], cut: int
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    journal = Journal(directory, "logs")
    for payload in payloads:
        journal.append(payload).result(timeout=60)
    segment = journal.seal()
    journal.close()
    assert segment
    os.truncate(segment.path, max(0, segment.size - cut))
    whole, place = [], 0
    for payload in payloads:
        place += 23 + len(payload)
        if place <= segment.size - cut:
            whole.append(payload)
    again = Journal(directory, "logs")
    recovered = list(again.recover())
    assert [digests for _, digests in recovered] == ([[digest(payload) for payload in whole]] if whole else [])
    assert [_payloads(found.path) for found, _ in recovered] == ([whole] if whole else [])
    again.close()


def test_a_flipped_bit_ends_the_segment_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    for payload in (b"first", b"second", b"third"):
        journal.append(payload).result(timeout=60)
    segment = journal.seal()
    journal.close()
    assert segment
    content = bytearray(segment.path.read_bytes())
    content[content.index(b"second")] ^= 1
    segment.path.write_bytes(content)
    again = Journal(tmp_path, "logs")
    [(found, digests)] = again.recover()
    assert digests == [digest(b"first")]
    assert _payloads(found.path) == [b"first"]
    again.close()


def test_a_full_disk_acknowledges_nothing_and_leaves_whole_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "logs")
    journal.append(b"before").result(timeout=60)
    real = os.writev

    def full(file: int, buffers: Any) -> int:
        real(file, [buffers[0]])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(OverloadedError, match="No space left") as caught:
        journal.append(b"lost").result(timeout=60)
    assert caught.value.retry_after > 0
    monkeypatch.setattr(os, "writev", real)
    journal.append(b"after").result(timeout=60)
    segment = journal.seal()
    assert segment
    assert _payloads(segment.path) == [b"before", b"after"]
    journal.close()


def test_no_more_than_the_limit_may_wait(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs", max_bytes=1000)
    journal.append(bytes(900)).result(timeout=60)
    with pytest.raises(OverloadedError, match="waiting to be stored"):
        journal.append(bytes(200))
    segment = journal.seal()
    assert segment
    journal.remove(segment)
    journal.append(bytes(200)).result(timeout=60)
    journal.close()


def test_a_closed_journal_takes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    last = journal.append(b"last")
    journal.close()
    assert last.done()
    with pytest.raises(OverloadedError, match="stopping"):
        journal.append(b"late")


def test_a_segment_that_is_full_is_closed_by_the_writer(tmp_path: Path) -> None:
    """The engine may be busy for long; what it takes next must not have grown meanwhile."""
    journal = Journal(tmp_path, "logs", segment_bytes=1000)
    for number in range(5):
        journal.append(bytes([number]) * 600).result(timeout=60)
    taken = []
    while segment := journal.seal():
        taken.append([payload[0] for payload in _payloads(segment.path)])
    assert taken == [[0, 1], [2, 3], [4]]
    assert journal.oldest() == (0.0, 0)
    journal.close()
