"""Tenants: nothing that one can ask has a word of another.

Two tenants speak through every protocol, each with a word of its own in every place that a user's text can be in. Then
one asks everything that there is to be asked, by every route, and no answer may have the other's word.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

import cramjam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import inspect

from pilothouse.server.access.callers import DEFAULT_TENANT
from pilothouse.signals.receive.remote_write_messages import WriteRequest
from tests.acceptance.telemetry import PROTOBUF
from tests.server.access.inside import Inside, bearer, inside, routes
from tests.signals.metrics.real_prometheus import HEADERS as WRITING
from tests.thorough import part_of

TENANTS = ("shop", "bank")
WORDS = {"shop": "xylophone", "bank": "zeppelin", DEFAULT_TENANT: "marzipan"}
_TRACE = {"shop": b"\x01" * 16, "bank": b"\x02" * 16, DEFAULT_TENANT: b"\x03" * 16}

_MESH = """
apiVersion: split.smi-spec.io/v1alpha4
kind: TrafficSplit
metadata: {{name: {word}, namespace: {word}}}
spec: {{service: {word}, backends: [{{service: {word}-v1, weight: 1}}]}}
"""


def _attributes(word: str) -> list[dict[str, Any]]:
    pairs = {"service.name": word, "service.version": f"{word}-1", f"label.{word}": word}
    return [{"key": key, "value": {"string_value": text}} for key, text in pairs.items()]


def _requests(tenant: str) -> dict[str, bytes]:
    """OTLP of all three kinds with the tenant's word wherever there is text."""
    word, now = WORDS[tenant], time.time_ns()
    resource, trace = {"attributes": _attributes(word)}, _TRACE[tenant]
    record = {
        "time_unix_nano": now,
        "body": {"string_value": f"{word} came"},
        "attributes": _attributes(word),
        "trace_id": trace,
    }
    span = {
        "trace_id": trace, "span_id": trace[:8], "name": word, "start_time_unix_nano": now - 10**6,
        "end_time_unix_nano": now, "attributes": _attributes(word), "kind": 2,
    }  # fmt: skip
    point = {"time_unix_nano": now, "as_int": 1, "attributes": _attributes(word)}
    exemplar = {
        "time_unix_nano": now, "as_double": 1, "trace_id": trace, "span_id": trace[:8],
        "filtered_attributes": _attributes(word),
    }  # fmt: skip
    durations = {
        "time_unix_nano": now, "count": 1, "sum": 1, "bucket_counts": [0, 1], "explicit_bounds": [1],
        "attributes": _attributes(word), "exemplars": [exemplar],
    }  # fmt: skip
    metrics = [
        {"name": f"{word}_count", "description": word, "gauge": {"data_points": [point]}},
        {"name": f"{word}_s", "histogram": {"data_points": [durations], "aggregation_temporality": 2}},
    ]
    return {
        "logs": ExportLogsServiceRequest(
            resource_logs=[{"resource": resource, "scope_logs": [{"log_records": [record]}]}]
        ).SerializeToString(),
        "traces": ExportTraceServiceRequest(
            resource_spans=[{"resource": resource, "scope_spans": [{"spans": [span]}]}]
        ).SerializeToString(),
        "metrics": ExportMetricsServiceRequest(
            resource_metrics=[{"resource": resource, "scope_metrics": [{"metrics": metrics}]}]
        ).SerializeToString(),
    }


def _written(word: str) -> bytes:
    """Prometheus' remote write, with what it says of a metric."""
    request = WriteRequest()
    series = request.timeseries.add()
    for name, text in (("__name__", f"{word}_written"), ("job", word)):
        series.labels.add(name=name, value=text)
    series.samples.add(value=1.0, timestamp=int(time.time() * 1000))
    request.metadata.add(type=1, metric_family_name=f"{word}_written", help=word, unit=word)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def _speak(house: Inside, tenant: str) -> None:
    word, headers = WORDS[tenant], {"x-scope-orgid": tenant}
    http = house.http
    sent = [
        *(
            http.post(f"/otlp/v1/{kind}", content=body, headers=PROTOBUF | headers)
            for kind, body in _requests(tenant).items()
        ),
        http.post("/prometheus/api/v1/write", headers=headers | WRITING, content=_written(word)),
        http.post(
            "/loki/api/v1/push", headers=headers,
            json={"streams": [{"stream": {"app": word}, "values": [[str(time.time_ns()), f"{word} by loki"]]}]},
        ),
        http.post(
            "/pyroscope/ingest", headers=headers, content=f"main;{word};work 5\n".encode(),
            params={"name": f"{word}.cpu{{of={word}}}", "format": "folded"},
        ),
        http.post("/_bulk", headers=headers | {"content-type": "application/x-ndjson"},
                  content=f'{{"create":{{"_index":"{word}"}}}}\n{{"message":"{word} by elastic"}}\n'),
        http.post(
            "/datadog/api/v2/series",
            headers=headers | {"content-encoding": "gzip", "content-type": "application/json"},
            content=gzip.compress(json.dumps({"series": [{
                "metric": f"{word}.dd", "type": 3, "points": [{"timestamp": int(time.time()), "value": 1}],
                "resources": [{"type": "host", "name": word}]}]}).encode()),
        ),
        http.post("/api/releases", headers=headers, json={"service": word, "version": word, "note": word}),
        http.post("/api/slos", headers=headers, json={"slo": {
            "service": word, "objectives": [{"name": word, "availability": 99.9}]}}),
        http.post("/api/rollouts", headers=headers, json={
            "plan": {"service": word, "steps": [{"weight": 5, "for": "1h"}]}, "baseline": word, "candidate": "2",
            "traffic": {"by": "http", "url": f"http://127.0.0.1:1/{word}"}}),
    ]  # fmt: skip
    assert not [(answer.url.path, answer.text) for answer in sent if answer.status_code >= 300]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    directory = tmp_path_factory.mktemp("tenants")
    smi = directory / "smi.yaml"
    smi.write_text(_MESH.format(word=WORDS[DEFAULT_TENANT]))
    with inside(directory / "data", tenants={name: {} for name in TENANTS}, mesh_config=str(smi)) as found:
        for tenant in WORDS:
            _speak(found, tenant)
        deadline = time.monotonic() + 90
        for tenant, word in WORDS.items():
            for signal in ("logs", "traces", "metrics", "profiles"):
                while not _heard(found, tenant, word, signal):
                    assert time.monotonic() < deadline, f"{tenant} does not see its own {signal}"
                    time.sleep(0.1)
        yield found


def _heard(house: Inside, tenant: str, word: str, signal: str) -> bool:
    services = house.http.get("/api/services", headers={"x-scope-orgid": tenant}).json()
    return any(signal in json.dumps(one) for one in services["services"] if word in json.dumps(one))


def _words_in(text: str) -> set[str]:
    return {tenant for tenant, word in WORDS.items() if word in text.lower()}


def _filled(path: str, foreign: str) -> str:
    word, trace = WORDS[foreign], _TRACE[foreign].hex()
    for name in ("{trace_id}", "{rollout:int}", "{name}", "{tag:path}", "{service:path}", "{path:path}", "{call}"):
        filling = {"{trace_id}": trace, "{rollout:int}": "1", "{call}": "SelectMergeStacktraces"}.get(name, word)
        path = path.replace(name, filling)
    return path


_PARAMETERS = {
    "service": "{word}", "baseline": "{word}-1", "candidate": "{word}-1", "query": '{{service_name="{word}"}}',
    "match[]": '{{__name__=~".+"}}', "start": "{start}", "end": "{end}", "step": "60",
    "selector": 'service_name="{word}"',
    "q": "{{}}", "traceID": "{trace}", "trace_id": "{trace}", "serviceName": "{word}", "type": "cpu", "at": "{now}",
    "operation": "{word}", "function": "{word}", "versions": "{word}-1", "metric": "{word}_count", "since": "1h",
    "from": "now-1h", "until": "now", "label": "service_name", "traceIds": "{trace}",
    "name": "{word}_count", "limit": "100",
}  # fmt: skip


def _values(foreign: str) -> dict[str, str]:
    now = time.time()
    known = {"word": WORDS[foreign], "trace": _TRACE[foreign].hex(), "start": f"{now - 3600:.0f}", "end": f"{now:.0f}"}
    return {name: text.format(**known, now=f"{now:.0f}") for name, text in _PARAMETERS.items()}


def _unknown_to(documented: dict[str, Any]) -> set[str]:
    """Which parameters a call says it does not take; of one that is not documented, it will say so when asked."""
    told = {one["name"] for one in documented.get("get", {}).get("parameters", [])}
    return _PARAMETERS.keys() - told if documented else set()


def _accepted(house: Inside, path: str, headers: dict[str, str], given: dict[str, str], unknown_there: set[str]) -> Any:
    """The answer to a question, without the parameters that it says it does not know, which are remembered."""
    given = {name: value for name, value in given.items() if name not in unknown_there}
    for _ in range(len(given) + 1):
        answer = house.http.get(path, params=given, headers=headers)
        unknown = answer.text.partition("no such parameter")[0].rpartition('"')[2].split(":")[0].strip()
        if answer.status_code != 400 or "no such parameter" not in answer.text or unknown not in given:
            return answer
        del given[unknown]
        unknown_there.add(unknown)
    return answer


def test_no_route_shows_one_tenant_another(house: Inside) -> None:
    paths = [path for method, path in routes(house.process) if method == "GET" and "/tail" not in path]
    documented = house.http.get("/api/openapi.json").json()["paths"]
    answered = 0
    for path in paths:
        unknown = _unknown_to(documented.get(path.replace(":path}", "}"), {}))
        # Two of the three pairs: every route is asked by a tenant, and by the default one.
        for asking, foreign in (("shop", "bank"), (DEFAULT_TENANT, "shop")):
            answer = _accepted(house, _filled(path, foreign), {"x-scope-orgid": asking}, _values(foreign), unknown)
            # What was asked may be repeated in an error; what was not asked for may not be there.
            leaked = _words_in(answer.text) - {asking}
            if leaked and answer.status_code < 300:
                repeated = answer.text.lower()
                for text in _values(foreign).values():
                    repeated = repeated.replace(text.lower(), "")
                leaked = _words_in(repeated) - {asking}
            assert not leaked or answer.status_code >= 400, (path, asking, answer.text[:2000])
            answered += answer.status_code < 300
    print(f"{len(paths)} routes, {answered} answers with a result")
    assert answered > len(paths)


_QUESTIONS = [
    ("/prometheus/api/v1/query", "query"), ("/prometheus/api/v1/series", "match[]"),
    ("/loki/api/v1/query_range", "query"),
    ("/tempo/api/search", "q"), ("/api/logs", "selector"), ("/api/logs/query", "query"), ("/api/metrics", "selector"),
    ("/api/traces", "q"), ("/api/profiles/folded", "selector"), ("/pyroscope/render", "query"),
]  # fmt: skip
_WHOLE = [
    '{__name__=~".+"}', '{service_name=~".+"}', "{}", '{ name =~ ".*" }', 'service_name!="none"', "", '{app=~".+"}',
    "' OR 1=1 --", "tenant_bank.logs", '{service_name=~".+"} |~ ".*"', "`tenant_bank`", "\\", "};{", '{a="\\\\"}',
    "SELECT * FROM tenant_bank.spans", '{service_name="x" or tenant="bank"}', "{ true }",
    "') UNION ALL SELECT body FROM tenant_bank.logs --",
]  # fmt: skip


@settings(max_examples=part_of(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(_QUESTIONS), st.one_of(st.sampled_from(_WHOLE), st.text(max_size=60)))
def test_no_question_crosses(house: Inside, question: tuple[str, str], text: str) -> None:
    path, name = question
    answer = house.http.get(path, params={name: text}, headers={"x-scope-orgid": "shop"})
    assert answer.status_code < 500, answer.text
    assert _words_in(answer.text) <= {"shop"} | _words_in(text)


@pytest.mark.parametrize("named", ["nobody", "../bank", "shop|bank", "tenant_bank", "BANK", "*", "shop,bank", "bank\t"])
def test_no_other_name_is_a_tenant(house: Inside, named: str) -> None:
    answer = house.http.get("/api/services", headers={"x-scope-orgid": named})
    assert answer.status_code == (200 if named.strip() == "bank" else 403)
    assert _words_in(answer.text) <= {"bank"}


def test_a_token_of_one_tenant_is_good_for_that_one_alone(house: Inside) -> None:
    token, _ = house.tokens.create("shop's", ["admin"], "shop")
    own = house.http.get("/api/services", headers=bearer(token))
    assert _words_in(own.text) == {"shop"}
    for foreign in ("bank", DEFAULT_TENANT, "nobody"):
        answer = house.http.get("/api/services", headers=bearer(token, x_scope_orgid=foreign))
        # The same words, whether there is such a tenant or not.
        assert (answer.status_code, answer.json()["error"]["message"]) == (
            403,
            "x-scope-orgid: shop's has no such tenant",
        )
    sent = house.http.post("/otlp/v1/logs", content=b"", headers=PROTOBUF | bearer(token, x_scope_orgid="bank"))
    assert sent.status_code == 403


def test_each_tenant_keeps_its_own_acts_and_releases(house: Inside) -> None:
    for tenant in WORDS:
        acts = house.http.get("/api/audit", headers={"x-scope-orgid": tenant}).json()["acts"]
        assert acts
        assert {act["tenant"] for act in acts} == {tenant}
        releases = house.http.get("/api/releases", headers={"x-scope-orgid": tenant}).text
        assert _words_in(releases) == {tenant}
    assert house.http.get("/metrics", headers={"x-scope-orgid": "shop"}).text.find("pilothouse_received") < 0


def test_the_mesh_is_the_default_tenants_alone(house: Inside) -> None:
    word = WORDS[DEFAULT_TENANT]
    own = house.http.get("/api/mesh").json()
    assert [split["service"] for split in own["splits"]] == [f"{word}/{word}"]
    for tenant in TENANTS:
        headers = {"x-scope-orgid": tenant}
        assert house.http.get("/api/mesh", headers=headers).json()["source"] is None
        for path, parameters in (
            ("/api/mesh/shares", {}),
            ("/api/mesh/explain", {"from": f"{word}/{word}", "to": f"{word}/{word}"}),
        ):
            refused = house.http.get(path, params=parameters, headers=headers)
            assert refused.status_code == 404, refused.text
        splits = f"/apis/metrics.smi-spec.io/v1alpha2/namespaces/{word}/trafficsplits"
        assert house.http.get(splits, headers=headers).json().get("items") == []
        assert _words_in(house.http.get("/api/mesh/observed", headers=headers).text) <= {tenant}


# A store's tables that have no row of what is sent here: what is thinned, and after how long.
_EMPTY = {"thinned_days", "schema_migrations"}


def test_every_table_has_the_words_of_its_own_tenant_alone(house: Inside) -> None:
    """All tables that there are: one that comes later is empty here until something is sent that it keeps."""
    for tenant, one in house.process._houses().items():
        engine = one._engine
        names = engine.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        )
        for name in set(names.column(0).to_pylist()) - _EMPTY:
            deadline = time.monotonic() + 60
            while not (rows := engine.query(f"SELECT toString(tuple(*)) FROM {name}").column(0).to_pylist()):
                assert time.monotonic() < deadline, f"{name} of {tenant} is empty: send what it keeps"
                time.sleep(0.05)
            assert _words_in(" ".join(rows)) <= {tenant}, name
        kept = {}
        with one._access_database.connect() as connection:
            for name in inspect(connection).get_table_names():
                rows = [str(tuple(row)) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}"')]
                # Who did what is written down in one place, for all; each is shown its own.
                kept[name] = _words_in(" ".join(rows)) if name != "acts" else set()
        assert {name for name, words in kept.items() if words} >= {"release_marks", "slos", "rollouts"}
        assert set().union(*kept.values()) == {tenant}, kept


def test_the_engine_of_a_tenant_is_a_database_of_its_own(house: Inside) -> None:
    """What no query language can say, SQL could: even the engine's tables by their plain names are the tenant's."""
    engines = {name: one._engine for name, one in house.process._houses().items()}
    for tenant, engine in engines.items():
        bodies: list[str] = []
        deadline = time.monotonic() + 60
        while not bodies:
            bodies = engine.query("SELECT DISTINCT body FROM logs").column(0).to_pylist()
            assert time.monotonic() < deadline, f"{tenant} has no logs: {engine.query('SELECT * FROM system.parts')}"
            time.sleep(0.05)
        assert _words_in(" ".join(bodies)) == {tenant}
        assert engine.query("SELECT currentDatabase()").column(0).to_pylist() == [
            "default" if tenant == DEFAULT_TENANT else f"tenant_{tenant}"
        ]
