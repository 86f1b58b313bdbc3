"""How large a collector's requests get."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from pilothouse.signals.collecting.files import FileCollector
from pilothouse.signals.collecting.sending import Sender, SendingError

_MOST = 16_000_000


def test_no_request_is_larger_than_a_server_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line's path and time are many times as long as a short line."""
    path = tmp_path / ("a-path-as-containers-have-it-" * 6) / "x.log"
    path.parent.mkdir()
    wanted = [str(number) for number in range(90_000)]
    path.write_text("\n".join(wanted) + "\n")
    sizes, came = list[int](), list[str]()

    def taken(self: Sender, body: bytes, lines: int) -> bool:
        sizes.append(len(body))
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            came.extend(one.body.string_value for one in resource.scope_logs[0].log_records)
        return True

    monkeypatch.setattr(Sender, "deliver", taken)
    FileCollector([str(path)], Sender("http://127.0.0.1:1"), tmp_path / "state", lambda _: {}, once=True).run()
    assert came == wanted
    assert max(sizes) < _MOST // 2


def test_what_the_server_says_is_told_in_its_words() -> None:
    from google.rpc.status_pb2 import Status

    def answered(request: httpx.Request) -> httpx.Response:
        assert gzip.decompress(request.content) == b"lines"
        said = Status(code=3, message="too much of it").SerializeToString()
        return httpx.Response(413, content=said, headers={"content-type": "application/x-protobuf"})

    sender = Sender("http://127.0.0.1:1")
    sender._client = httpx.Client(transport=httpx.MockTransport(answered))
    with pytest.raises(SendingError, match=r"answered 413: too much of it$"):
        sender.deliver(b"lines", 1)
