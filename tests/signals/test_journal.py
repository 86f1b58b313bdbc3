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
from pilothouse.signals.journal import Journal, digest, framed
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


@pytest.mark.parametrize("place", range(4))
def test_a_flipped_bit_loses_one_request_and_what_it_was_in_is_kept(tmp_path: Path, place: int) -> None:
    """A disk's fault, not a torn end: what stands behind was acknowledged."""
    payloads = [b"first", b"second" * 100, b"third \xfa\x7f\x14", b"fourth"]
    journal = Journal(tmp_path, "logs")
    for payload in payloads:
        journal.append(payload).result(timeout=60)
    segment = journal.seal()
    journal.close()
    assert segment
    # Behind its end stands what was in the file before: frames of another segment.
    content = bytearray(segment.path.read_bytes() + framed(b"of another"))
    content[content.index(payloads[place])] ^= 1
    segment.path.write_bytes(content)
    left = [payload for payload in payloads if payload is not payloads[place]]
    again = Journal(tmp_path, "logs")
    [(found, digests)] = again.recover()
    assert digests == [digest(payload) for payload in left]
    assert _payloads(found.path) == left
    assert found.size == found.path.stat().st_size
    # Of the last one nobody can tell that it was not torn.
    aside = list((tmp_path / "aside").glob("*.segment"))
    assert [one.read_bytes() for one in aside] == ([bytes(content)] if place < 3 else [])
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


def test_a_file_is_used_again_and_nothing_of_before_comes_back(tmp_path: Path) -> None:
    journal, large = Journal(tmp_path, "logs"), 600_000
    before = [bytes([number]) * large for number in range(3)]
    for payload in before:
        journal.append(payload).result(timeout=60)
    first = journal.seal()
    assert first
    journal.remove(first)
    assert [file.suffix for file in tmp_path.iterdir()] == [".spare"]
    # As long as what it is written over, so that the frames behind it begin where one is looked for.
    journal.append(b"a" * large).result(timeout=60)
    [file] = tmp_path.iterdir()
    assert (file.suffix, file.stat().st_size) == (".segment", 3 * (23 + large))
    os.link(file, tmp_path / "as-it-was")
    journal.close()

    again = Journal(tmp_path, "logs")
    [(found, digests)] = again.recover()
    assert digests == [digest(b"a" * large)]
    assert _payloads(found.path) == [b"a" * large]
    # What another process wrote may carry no name: its file is not used again.
    again.remove(found)
    assert [file.name for file in tmp_path.iterdir()] == ["as-it-was"]
    again.close()


def test_what_is_behind_the_end_is_cut_off_before_the_engine_reads(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    for payload in (bytes(1_500_000), b"short"):
        journal.append(payload).result(timeout=60)
        segment = journal.seal()
        assert segment
        journal.trim(segment)
        assert _payloads(segment.path) == [payload]
        journal.remove(segment)
    journal.close()


def test_few_files_wait_to_be_used_again_and_not_for_long(tmp_path: Path) -> None:
    journal, segments = Journal(tmp_path, "logs"), []
    for _ in range(4):
        journal.append(bytes(1_500_000)).result(timeout=60)
        segments.append(journal.seal())
    assert journal.oldest_spare() is None
    for segment in segments:
        assert segment
        journal.remove(segment)
    assert len(list(tmp_path.iterdir())) == 2
    journal.drop_spares(60)
    assert len(list(tmp_path.iterdir())) == 2
    assert journal.oldest_spare()
    journal.drop_spares(0)
    assert list(tmp_path.iterdir()) == []
    journal.append(b"and on").result(timeout=60)
    (tmp_path / "logs-00000000000000000001.spare").write_bytes(b"of a process that was killed")
    journal.close()
    again = Journal(tmp_path, "logs")
    assert [file.suffix for file in tmp_path.iterdir()] == [".segment"]
    again.close()


def test_segments_from_before_checksums_carried_a_name_are_recovered(tmp_path: Path) -> None:
    (tmp_path / "logs-00000000000000000001.segment").write_bytes(framed(b"old") + framed(b"older"))
    journal = Journal(tmp_path, "logs")
    assert [digests for _, digests in journal.recover()] == [[digest(b"old"), digest(b"older")]]
    journal.close()


def test_a_segment_under_another_name_holds_no_frames(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "logs")
    journal.append(b"one").result(timeout=60)
    segment = journal.seal()
    journal.close()
    assert segment
    segment.path.rename(tmp_path / "logs-00000000000000000001.segment")
    assert list(Journal(tmp_path, "logs").recover()) == []
