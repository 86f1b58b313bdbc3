"""Admission over HTTP: who may do what, what is written down, what is limited, what a foreign page may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pilothouse.server.access.callers import SESSION
from tests.acceptance import telemetry
from tests.server.access.inside import Inside, bearer, inside, routes

# What is planted wherever a setting, or a file that one names, holds a secret.
_HUSH = "hush7"
_PROMETHEUS = f"""
scrape_configs:
  - job_name: one
    basic_auth: {{username: me, password: {_HUSH}-basic}}
  - job_name: other
    authorization: {{credentials: {_HUSH}-credentials}}
  - job_name: third
    bearer_token: {_HUSH}-bearer
alerting:
  alertmanagers:
    - basic_auth: {{username: me, password: {_HUSH}-alerts}}
"""
# What takes telemetry in, or answers a question that is too long for an address.
_NO_ACTS = re.compile(
    "/(otlp|datadog|elasticsearch|_bulk|ingest|jaeger|zipkin|tempo|pyroscope|services|sign-|webhooks"
    "|api/(prom/push|traces|v1/spans|v2/(logs|spans))|loki/api/v1/(?!delete)|prometheus/(?!-/|api/v1/admin/)"
    r"|v0\.\d/traces|v1/input|v1development/|1/_bulk"
    r"|[\w.]+\.v1\.\w+Service/)"
)
_MARK = {"service": "shop", "version": "1"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    data = tmp_path_factory.mktemp("access")
    from pilothouse.control.opening import open_database
    from pilothouse.server.access.tokens import TokenStore

    TokenStore(open_database(f"sqlite:///{data}/control.db")).create("first", ["admin"])
    (data / "hush").write_text(f"{_HUSH}-webhook")
    (data / "prometheus.yml").write_text(_PROMETHEUS)
    (data / "tokens").write_text(f"listed read pht_{'0' * 12}_{_HUSH}{'B' * 38}\n")
    forge = {"kind": "github", "url": "http://127.0.0.1:1", "token": "env:HUSH", "repositories": ["ann/shop"]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HUSH", f"{_HUSH}-forge")
        with inside(
            data, require_tokens=True, prometheus_config=str(data / "prometheus.yml"), tokens_file=str(data / "tokens"),
            forges={"theirs": forge | {"webhook_secret": f"file:{data / 'hush'}", "poll": "1h"}},
            oidc_issuer="http://127.0.0.1:1", oidc_client_id="us", oidc_client_secret=f"{_HUSH}-oidc",
        ) as found:  # fmt: skip
            yield found


@pytest.fixture(scope="module")
def tokens(house: Inside) -> dict[str, str]:
    return {scope: house.tokens.create(scope, [scope])[0] for scope in ("ingest", "read", "act", "admin")}


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/api/services", {"read", "act", "admin"}),
        ("POST", "/api/releases", {"act", "admin"}),
        ("GET", "/api/audit", {"admin"}),
        ("POST", "/otlp/v1/logs", {"ingest", "admin"}),
    ],
)
def test_each_scope_may_what_it_is_for(
    house: Inside, tokens: dict[str, str], method: str, path: str, may: set[str]
) -> None:
    telling = (
        {"content": telemetry.logs("shop", ["a"]), "headers": telemetry.PROTOBUF} if "otlp" in path else {"json": _MARK}
    )
    more = telling if method == "POST" else {}
    headers = more.pop("headers", {})
    for scope, token in tokens.items():
        answer = house.http.request(method, path, headers={**headers, **bearer(token)}, **more)
        assert answer.status_code in ((200, 201) if scope in may else (403,)), (scope, answer.text)
    nobody = house.http.request(method, path, headers=headers, **more)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == 'Bearer realm="pilothouse"'
    assert nobody.json()["error"]["code"] == "unauthorized"
    wrong = house.http.request(method, path, headers={**headers, **bearer("pht_" + "0" * 12 + "_" + "A" * 43)}, **more)
    assert wrong.status_code == 401


def test_the_otlp_port_asks_for_a_token_too(house: Inside, tokens: dict[str, str]) -> None:
    body = telemetry.logs("shop", ["b"])
    assert house.otlp.post("/v1/logs", content=body, headers=telemetry.PROTOBUF).status_code == 401
    headers = telemetry.PROTOBUF | bearer(tokens["read"])
    assert house.otlp.post("/v1/logs", content=body, headers=headers).status_code == 403
    headers = telemetry.PROTOBUF | bearer(tokens["ingest"])
    assert house.otlp.post("/v1/logs", content=body, headers=headers).status_code == 200


def test_health_and_the_page_need_nothing(house: Inside) -> None:
    assert house.http.get("/-/healthy").status_code == 200
    assert house.http.get("/sign-in").status_code == 200
    assert house.http.get("/").status_code in (200, 503)


def test_a_websocket_needs_what_its_questions_need(house: Inside, tokens: dict[str, str]) -> None:
    from starlette.websockets import WebSocketDisconnect

    address = "ws://127.0.0.1:4000/loki/api/v1/tail?query={a=%22b%22}"
    with pytest.raises(WebSocketDisconnect) as closed, house.http.websocket_connect(address):
        pass
    assert "needs a token" in closed.value.reason
    with house.http.websocket_connect(address, headers=bearer(tokens["read"])):
        pass


def test_acts_are_written_down_with_who_and_how_it_went(house: Inside, tokens: dict[str, str]) -> None:
    house.http.post("/api/releases?secret=abc", json=_MARK | {"version": "7"}, headers=bearer(tokens["act"]))
    house.http.post("/api/releases", json=_MARK, headers=bearer(tokens["read"]))
    house.http.get("/api/services", headers=bearer(tokens["read"]))
    refused, done = house.http.get("/api/audit?limit=2", headers=bearer(tokens["admin"])).json()["acts"]
    assert (done["caller"], done["method"], done["path"], done["tenant"]) == ("act", "POST", "/api/releases", "default")
    assert done["status"] in (400, 201)
    assert (refused["caller"], refused["status"]) == ("read", 403)
    assert "abc" not in str(done)


def test_each_act_there_is_is_written_down(house: Inside, tokens: dict[str, str]) -> None:
    """Every route that changes something, those too that come later: asked by who may not and by who may."""
    acts, audit = 0, house.process._access.audit
    for method, path in routes(house.process):
        filled = re.sub(r"\{\w+(:\w+)?\}", "1", path)
        if method in ("GET", "HEAD", "OPTIONS") or _NO_ACTS.match(filled):
            continue
        for scope in ("read", "admin"):
            answer = house.http.request(method, filled, headers=bearer(tokens[scope]))
            assert (answer.status_code == 403) == (scope == "read"), (method, filled, answer.text)
            # As Prometheus answers where these are switched off.
            disabled = "admin APIs disabled" in answer.text
            assert answer.status_code < 500 or disabled, (method, filled, answer.text)
            last = audit.latest(limit=1)[0]
            assert (last.caller, last.method, last.path, last.status) == (scope, method, filled, answer.status_code)
            acts += 1
    assert acts > 40


def test_no_answer_has_a_secret(house: Inside, tokens: dict[str, str]) -> None:
    """Every route that can be asked, those too that come later, of a server that has been given many."""
    paths = [path for method, path in routes(house.process) if method == "GET" and "/tail" not in path]
    for path in paths:
        answer = house.http.get(re.sub(r"\{\w+(:\w+)?\}", "1", path), headers=bearer(tokens["admin"]))
        said = answer.text + str(answer.headers)
        assert _HUSH not in said, (path, said)
        assert not [token for token in tokens.values() if token.split("_", 2)[2] in said], path
    assert len(paths) > 100
    shown = house.http.get("/prometheus/api/v1/status/config", headers=bearer(tokens["admin"]))
    reloaded = house.http.post("/prometheus/-/reload", headers=bearer(tokens["admin"]))
    assert (shown.status_code, reloaded.status_code) == (200, 200)


def test_signing_in_with_a_token_makes_a_session_that_can_be_ended(house: Inside, tokens: dict[str, str]) -> None:
    answer = house.http.post("/sign-in", data={"token": tokens["read"], "next": "/logs?query=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/logs?query=a")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    session = cookie.partition("=")[2].partition(";")[0]
    house.http.cookies.clear()
    headers = {"cookie": f"{SESSION}={session}"}
    assert house.http.get("/api/services", headers=headers).status_code == 200
    assert house.http.post("/api/releases", json=_MARK, headers=headers).status_code == 403
    # A session is good in the browser that it was made for, and nowhere else; a token is not good as one.
    assert house.http.get("/api/services", headers=bearer(session)).status_code == 401
    assert house.http.get("/api/services", headers={"cookie": f"{SESSION}={tokens['read']}"}).status_code == 401
    assert house.http.post("/sign-out", headers=headers).status_code == 303
    house.http.cookies.clear()
    assert house.http.get("/api/services", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_nobody_elsewhere(house: Inside, tokens: dict[str, str], target: str) -> None:
    answer = house.http.post("/sign-in", data={"token": tokens["read"], "next": target})
    house.http.cookies.clear()
    assert answer.headers["location"] == "/"
    assert "evil" not in house.http.get("/sign-in", params={"next": target}).text


def test_what_is_written_in_the_form_is_text(house: Inside) -> None:
    page = house.http.get("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert house.http.post("/sign-in", data={"token": "no"}).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}]
)
def test_another_sites_page_may_not_act(house: Inside, tokens: dict[str, str], headers: dict[str, str]) -> None:
    answer = house.http.post("/api/releases", json=_MARK, headers=bearer(tokens["admin"]) | headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
    own = bearer(tokens["admin"]) | {"origin": "http://127.0.0.1:4000"}
    assert house.http.post("/api/releases", json=_MARK | {"version": "own"}, headers=own).status_code == 201


def test_a_token_of_the_forge_is_the_forges_to_judge(house: Inside, tokens: dict[str, str]) -> None:
    asked = "/api/forge/repositories"
    git = "/git/shop/cart.git/info/refs?service=git-upload-pack"
    assert house.http.get(asked).status_code == 401
    assert house.http.get(git).status_code == 401
    assert house.http.get(asked, headers=bearer(tokens["read"])).status_code == 200
    assert house.http.post(asked, json={"name": "a/b"}, headers=bearer(tokens["act"])).status_code == 403
    owner = (house.process._config.data / "forge" / "admin.token").read_text().strip()
    assert house.http.get(asked, headers=bearer(owner)).status_code == 200
    forged = house.http.get(asked, headers=bearer("phf_forged"))
    assert (forged.status_code, forged.json()["error"]["code"]) == (401, "unknown_token")
    # What is changed there is in the record as its people's, pushes too.
    made = house.http.post("/api/forge/users", json={"login": "rita"}, headers=bearer(owner))
    assert made.status_code == 201, made.text
    house.http.post("/git/shop/cart.git/git-receive-pack", headers=bearer(owner))
    acts = house.http.get("/api/audit", headers=bearer(tokens["admin"])).json()["acts"][:2]
    assert [(one["caller"][:6], one["path"], one["status"]) for one in acts] == [
        ("forge:", "/git/shop/cart.git/git-receive-pack", 404), ("forge:", "/api/forge/users", 201),
    ]  # fmt: skip
    # Elsewhere it opens nothing.
    assert house.http.get("/api/services", headers=bearer(owner)).status_code == 401


def test_tokens_are_made_listed_and_taken_back_by_who_may(house: Inside, tokens: dict[str, str]) -> None:
    assert house.http.get("/api/tokens", headers=bearer(tokens["act"])).status_code == 403
    admin = bearer(tokens["admin"])
    made = house.http.post(
        "/api/tokens", json={"name": "agents", "scopes": ["ingest"], "expires_in": "90d"}, headers=admin
    )
    assert made.status_code == 201
    body = made.json()
    assert house.http.get("/api/services", headers=bearer(body["token"])).status_code == 403
    listed = house.http.get("/api/tokens", headers=admin)
    assert listed.json()["required"]
    assert body["id"] in [one["id"] for one in listed.json()["tokens"]]
    assert body["token"].split("_", 2)[2] not in listed.text
    assert house.http.post("/api/tokens", json={"revoke": body["id"]}, headers=admin).status_code == 200
    assert house.http.post("/api/tokens", json={"revoke": body["id"]}, headers=admin).status_code == 404
    assert house.tokens.caller(body["token"]) is None


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": 7}, {"name": "x", "scopes": "read"}, {"name": "x", "scopes": ["root"]},
             {"name": "x", "expires_in": "soon"}, {"name": "x", "other": 1}, {"revoke": ["x"]}],
)  # fmt: skip
def test_a_token_that_cannot_be_made_is_told_in_words(
    house: Inside, tokens: dict[str, str], body: dict[str, object]
) -> None:
    answer = house.http.post("/api/tokens", json=body, headers=bearer(tokens["admin"]))
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


def test_who_is_bound_to_a_tenant_has_the_tokens_of_that_tenant(house: Inside) -> None:
    bound, _ = house.tokens.create("shop's admin", ["admin"], "shop")
    made = house.http.post("/api/tokens", json={"name": "mine"}, headers=bearer(bound)).json()
    assert made["tenant"] == "shop"
    listed = house.http.get("/api/tokens", headers=bearer(bound)).json()["tokens"]
    assert {one["tenant"] for one in listed} == {"shop"}
    first = next(one for one in house.tokens.all() if not one.tenant)
    assert house.http.post("/api/tokens", json={"revoke": first.id}, headers=bearer(bound)).status_code == 404
