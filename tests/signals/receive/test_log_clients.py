"""The intakes with the clients that people have: Elasticsearch's, Datadog's, a Loki handler, rsyslog, logger."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.running import RunningServer, start_server

RSYSLOG = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin") or ""
ELASTIC_OUTPUT = next(Path("/usr/lib").glob("*/rsyslog/omelasticsearch.so"), None)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {"syslog": free_port(), "lines": free_port()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[RunningServer]:
    addresses = {f"PILOTHOUSE_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()}
    running = start_server(tmp_path_factory.mktemp("server"), **addresses)
    yield running
    running.stop()


def logs(server: RunningServer, selector: str, least: int) -> list[dict[str, Any]]:
    answer = server.wait_for("/api/logs", "logs", least, selector=selector, since="1h", limit=10_000)
    return sorted(answer["logs"], key=lambda one: str(one["body"]))


def test_the_elasticsearch_client(server: RunningServer) -> None:
    from elasticsearch import Elasticsearch, helpers

    with Elasticsearch(f"{server.http}/elasticsearch", request_timeout=60) as client:
        assert client.info()["version"]["number"]
        documents = (
            {"_op_type": "create", "_index": "logs-shop", "message": f"order {number:04}", "service.name": "es-client"}
            for number in range(2500)
        )
        done, failed = helpers.bulk(client, documents, chunk_size=1000)
        assert (done, failed) == (2500, [])
    found = logs(server, 'service_name="es-client"', 2500)
    assert [one["body"] for one in found] == [f"order {number:04}" for number in range(2500)]


def test_the_datadog_client(server: RunningServer) -> None:
    from datadog_api_client import ApiClient, Configuration
    from datadog_api_client.v2.api.logs_api import LogsApi
    from datadog_api_client.v2.model.content_encoding import ContentEncoding
    from datadog_api_client.v2.model.http_log import HTTPLog
    from datadog_api_client.v2.model.http_log_item import HTTPLogItem

    configuration = Configuration(host=server.http, api_key={"apiKeyAuth": "any"})
    configuration.server_operation_index = {"v2.submit_log": 1}
    configuration.server_operation_variables = {
        "v2.submit_log": {"protocol": "http", "name": server.http.removeprefix("http://")}
    }
    item = HTTPLogItem(
        message="card refused", service="dd-client", ddsource="python", hostname="node-7", ddtags="env:prod,version:2.1"
    )
    with ApiClient(configuration) as client:
        for encoding in (ContentEncoding.IDENTITY, ContentEncoding.GZIP):
            LogsApi(client).submit_log(HTTPLog([item]), content_encoding=encoding)
    first, second = logs(server, 'service_name="dd-client"', 2)
    assert first["body"] == second["body"] == "card refused"
    wanted = {"host.name": "node-7", "deployment.environment.name": "prod", "service.version": "2.1"}
    assert first["resource"] | wanted == first["resource"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_loki_handler_of_python_logging(server: RunningServer) -> None:
    import logging_loki

    handler = logging_loki.LokiHandler(url=f"{server.http}/loki/api/v1/push", tags={"app": "handler"}, version="1")
    logger = logging.getLogger("shop.orders")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.warning("stock is low: %d", 3, extra={"tags": {"sku": "a-1"}})
    finally:
        logger.removeHandler(handler)
    (one,) = logs(server, 'app="handler"', 1)
    assert one["body"] == "stock is low: 3"
    assert one["resource"] | {"logger": "shop.orders", "severity": "warning", "sku": "a-1"} == one["resource"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--tcp", "--rfc5424", "--octet-count"], "counted"),
        (["--tcp", "--rfc5424"], "by-lines"),
        (["--udp", "--rfc5424"], "datagram"),
        (["--udp", "--rfc3164"], "old-datagram"),
    ],
)
def test_logger(server: RunningServer, ports: dict[str, int], options: list[str], name: str) -> None:
    if not shutil.which("logger"):
        pytest.skip("logger(1) is not installed")
    where = ["--server", "127.0.0.1", "--port", str(ports["syslog"])]
    tagged = ["--tag", name, "--priority", "local0.err"]
    subprocess.run(["logger", *where, *options, *tagged, "disk is full: 97 %"], check=True, timeout=60)
    (one,) = logs(server, f'service_name="{name}"', 1)
    assert one["body"] == "disk is full: 97 %"
    assert one["severity"].lower() in ("err", "error")


@contextmanager
def rsyslog(directory: Path, outputs: str) -> Iterator[Path]:
    """rsyslogd that reads the lines of a file and sends them with `outputs`; gives the file."""
    source = directory / "app.log"
    source.touch()
    file = directory / "rsyslog.conf"
    file.write_text(
        f"""global(workDirectory="{directory}")
module(load="imfile" mode="inotify")
input(type="imfile" file="{source}" tag="shop" addMetadata="off")
{outputs}
"""
    )
    command = [RSYSLOG, "-n", "-f", str(file), "-i", str(directory / "pid")]
    with (directory / "rsyslog.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield source
    finally:
        process.terminate()
        process.wait(60)


def _write(source: Path, lines: list[str]) -> None:
    with source.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


LINES = [f"order {number:05} accepted" for number in range(3000)]
needs_rsyslog = pytest.mark.skipif(not RSYSLOG, reason="rsyslog is not installed (tests/install_system_packages.sh)")


@needs_rsyslog
@pytest.mark.parametrize(("framing", "name"), [("octet-counted", "rs-counted"), ("traditional", "rs-lines")])
def test_rsyslog_forwards_by_tcp(
    server: RunningServer, ports: dict[str, int], tmp_path: Path, framing: str, name: str
) -> None:
    outputs = f"""template(name="named" type="string"
  string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% {name} - - - %msg%\\n")
action(type="omfwd" target="127.0.0.1" port="{ports["syslog"]}" protocol="tcp"
  TCP_Framing="{framing}" template="named")"""
    with rsyslog(tmp_path, outputs) as source:
        _write(source, LINES)
        found = logs(server, f'service_name="{name}"', len(LINES))
    assert [one["body"].strip() for one in found] == LINES


@needs_rsyslog
@pytest.mark.skipif(ELASTIC_OUTPUT is None, reason="rsyslog-elasticsearch is not installed")
def test_rsyslog_sends_to_elasticsearchs_bulk(server: RunningServer, tmp_path: Path) -> None:
    host, port = server.http.removeprefix("http://").split(":")
    outputs = f"""module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  constant(outname="service.name" value="rs-elastic" format="jsonf")
}}
action(type="omelasticsearch" server="{host}" serverport="{port}" searchIndex="logs" searchType=""
  bulkmode="on" template="document" queue.type="linkedlist" queue.dequeuebatchsize="500"
  action.resumeretrycount="-1" errorfile="{tmp_path / "errors.json"}")"""
    with rsyslog(tmp_path, outputs) as source:
        _write(source, LINES)
        found = logs(server, 'service_name="rs-elastic"', len(LINES))
    assert [one["body"] for one in found] == LINES
    assert not (tmp_path / "errors.json").exists()


def test_plain_lines_as_nc_sends_them(server: RunningServer, ports: dict[str, int]) -> None:
    script = f"exec 3<>/dev/tcp/127.0.0.1/{ports['lines']}; printf 'one\\ntwo\\n' >&3"
    subprocess.run(["bash", "-c", script], check=True, timeout=60)
    deadline = time.monotonic() + 60
    while True:
        found = server.get("/api/logs", contains="two", since="1h")["logs"]
        if found or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert [one["body"] for one in found] == ["two"], json.dumps(found)
