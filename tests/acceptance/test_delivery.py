"""The whole way of a change, offline and with real git: a stranger's pull request, its tests, its approval, a preview,
the merge pool, a release, staging by itself, production by approval, and back again when the verdict is bad.

One server (`pilothouse up`), real pushes over HTTP, the built-in forge's API as people use it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pilothouse.cli.program import program
from tests.releases.rollout.hook import router
from tests.running import RunningServer, start_server

SHOP, DEPLOY = "acme/shop", "acme/deploy"
UNIT = """
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  name: unit
  annotations:
    pipelinesascode.tekton.dev/on-event: "[pull_request]"
    pipelinesascode.tekton.dev/on-target-branch: "[main]"
spec:
  pipelineSpec:
    tasks:
    - name: test
      taskSpec:
        steps:
        - name: run
          image: busybox
          script: |
            #!/bin/sh
            for one in checks/*.sh; do sh $one || exit 1; done
"""
APP = """
import http.server, os

class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = open("greeting.txt", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
"""
SHOP_FILES = {
    "OWNERS": "approvers: [ann, bob]\nreviewers: [bob]\n", ".tekton/unit.yaml": UNIT, "checks/a.sh": "true\n",
    "app.py": APP, "greeting.txt": "welcome\n",
    ".pilothouse.yaml": "service: shop\nrelease: {automatic: true}\npreview: {command: python3 app.py, start: 60s}\n",
}  # fmt: skip
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: shop
          image: registry.example.org/acme/shop:0.0.1
"""
ENVIRONMENTS = """\
environments:
  - {name: staging, strategy: Auto, services: [shop]}
  - {name: production, strategy: Manual, services: [shop]}
"""


# A client for all: making one costs more than a question.
CLIENT = httpx.Client(timeout=60)


def until(
    question: Callable[[], Any],
    what: str,
    seconds: float = 180,
    now: Callable[[], Any] = lambda: "",
    every: float = 1.2,
) -> Any:
    """Ask until the answer is true; `now` is told when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := question():
            return found
        # A question about a pull request has the server ask git several times: not more often than need be.
        time.sleep(every)
    raise AssertionError(f"never: {what} {now()}")


@dataclass
class Person:
    """Somebody with a token of the forge, a clone, and a browser."""

    server: RunningServer
    login: str
    token: str
    home: Path

    def ask(self, path: str) -> Any:
        """A question to the forge."""
        return self._answer(CLIENT.get(f"{self.server.http}/api/forge/{path}", headers=self._headers()))

    def send(self, path: str, **body: Any) -> Any:
        """Something to be done there."""
        url = f"{self.server.http}/api/forge/{path}"
        return self._answer(CLIENT.post(url, json=body, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def _answer(self, response: httpx.Response) -> Any:
        assert response.is_success, response.text
        return response.json()

    def git(self, *words: str, where: Path | None = None) -> str:
        """Real git."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": self.login, "GIT_AUTHOR_EMAIL": f"{self.login}@example.org",
            "GIT_COMMITTER_NAME": self.login, "GIT_COMMITTER_EMAIL": f"{self.login}@example.org",
        }  # fmt: skip
        done = subprocess.run(
            ["git", *words], cwd=where or self.home, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def clone(self, repository: str) -> Path:
        """A clone of one's own."""
        place = self.home / repository.replace("/", "-")
        address = self.server.http.replace("http://", f"http://{self.login}:{self.token}@")
        self.git("clone", "-q", f"{address}/git/{repository}.git", str(place))
        return place

    def push(self, place: Path, branch: str, message: str, files: dict[str, str]) -> str:
        """A commit of these files on a branch, pushed; its hash."""
        for path, text in files.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text)
        self.git("checkout", "-q", "-B", branch, where=place)
        self.git("add", "-A", where=place)
        self.git("commit", "-q", "-m", message, where=place)
        self.git("push", "-q", "origin", f"{branch}:{branch}", where=place)
        return self.git("rev-parse", "HEAD", where=place)

    def say(self, number: int, text: str, repository: str = SHOP) -> None:
        """A comment."""
        self.send(f"repositories/{repository}/pulls/{number}/comments", body=text)


@dataclass
class Company:
    """The server and its people."""

    server: RunningServer
    admin: Person
    ann: Person
    bob: Person
    eve: Person
    directory: Path

    def restart(self) -> None:
        """Ended as Kubernetes ends it, whatever is under way, and started on the same address."""
        assert self.server.stop() == 0
        again = start(self.directory, self.server.http.removeprefix("http://"))
        for who in (self, self.admin, self.ann, self.bob, self.eve):
            who.server = again

    def get(self, path: str, **parameters: Any) -> Any:
        """An answer of the server's own API."""
        response = CLIENT.get(self.server.http + path, params=parameters)
        assert response.is_success, response.text
        return response.json()

    def pull(self, number: int, repository: str = SHOP) -> Any:
        """A pull request as the forge has it."""
        return self.admin.ask(f"repositories/{repository}/pulls/{number}")["pull"]

    def labels(self, number: int) -> set[str]:
        """Its labels."""
        return set(self.pull(number)["labels"])

    def said(self, number: int) -> str:
        """All that Pilothouse said on it."""
        comments = self.admin.ask(f"repositories/{SHOP}/pulls/{number}/comments")["comments"]
        return "\n".join(one["body"] for one in comments if one["author"] == "pilothouse")

    def why(self, number: int) -> Any:
        """Why it does not merge."""
        return self.get(f"/api/delivery/pulls/{SHOP}/{number}/why")

    def job(self, number: int) -> str:
        """How the job of its head stands."""
        jobs = self.get("/api/delivery/jobs", repository=SHOP, number=number)["jobs"]
        head = self.pull(number)["head"]["sha"]
        return next((one["state"] for one in jobs if one["head"] == head), "")

    def over(self, number: int) -> str:
        """The same, once it is over."""
        states = ("success", "failure", "error")
        return str(until(lambda: (state := self.job(number)) in states and state, f"the job of #{number} is over"))

    def promotion(self, version: str) -> int:
        """The open pull request that asks for a version in production, or 0."""
        pulls = self.admin.ask(f"repositories/{DEPLOY}/pulls")["pulls"]
        found = (one["number"] for one in pulls if one["title"].startswith("Promote shop in production")
                 and one["title"].endswith(f"to {version}"))  # fmt: skip
        return next(found, 0)

    def declared(self, environment: str) -> str:
        """The image that an environment declares."""
        url = f"{self.server.http}/api/forge/repositories/{DEPLOY}/file"
        text = CLIENT.get(url, params={"path": f"{environment}/shop.yaml"}).text
        return text.partition("image: registry.example.org/acme/shop:")[2].split()[0]


def start(directory: Path, http: str) -> RunningServer:
    """The server of this company."""
    return start_server(
        directory,
        "--http",
        http,
        PILOTHOUSE_ENVIRONMENTS=f"{DEPLOY}:environments.yaml",
        # Inserts would be most of its CPU: it is told of traffic again and again.
        PILOTHOUSE_FLUSH_INTERVAL="2s",
    )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    directory = tmp_path_factory.mktemp("delivery")
    server = start(directory, "127.0.0.1:0")
    token = directory / "data" / "forge" / "admin.token"
    CLIENT.get(f"{server.http}/api/forge/repositories")
    until(token.exists, "the forge has an administrator")
    admin = Person(server, "admin", token.read_text().strip(), directory)
    people = {}
    for login in ("ann", "bob", "eve"):
        admin.send("users", login=login, email=f"{login}@example.org")
        home = directory / login
        home.mkdir()
        people[login] = Person(server, login, admin.send("tokens", login=login, name="test")["token"], home)
    found = Company(server, admin, **people, directory=directory)
    for repository, files in (
        (DEPLOY, {"staging/shop.yaml": MANIFEST, "production/shop.yaml": MANIFEST, "environments.yaml": ENVIRONMENTS}),
        (SHOP, SHOP_FILES),
    ):
        admin.send("repositories", name=repository)
        for login in ("ann", "bob"):
            admin.send(f"repositories/{repository}", allow=login, permission="write")
        found.ann.push(found.ann.clone(repository), "main", "feat: begin", files)
    yield found
    found.server.stop()
    CLIENT.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_strangers_pull_request_to_production(company: Company) -> None:
    ann, bob, eve = company.ann, company.bob, company.eve
    # What was pushed first is released, and staging has it by itself.
    until(lambda: company.declared("staging") == "0.1.0", "0.1.0 is declared in staging")

    # A stranger's change waits, whatever she says.
    fork = eve.send("repositories", fork_of=SHOP)["repository"]["name"]
    clone = eve.clone(fork)
    eve.push(clone, "greet", "feat: greet", {"greeting.txt": "hello from eve\n", "checks/greet.sh": "exit 3\n"})
    number = eve.send(f"repositories/{SHOP}/pulls", head="eve:greet", title="feat: greet")["pull"]["number"]
    until(lambda: "needs-ok-to-test" in company.labels(number), "it waits for /ok-to-test")
    eve.say(number, "/ok-to-test")
    until(lambda: "is for people who work here" in company.said(number), "she may not say so")
    assert company.job(number) == ""

    # Somebody who works here looked at it: it is tested, and fails.
    bob.say(number, "/ok-to-test")
    assert company.over(number) == "failure"
    bob.say(number, "/lgtm\n/approve")
    until(lambda: {"lgtm", "approved"} <= company.labels(number), "it is approved")
    assert any(
        one.startswith("unit is failure") for one in until(lambda: company.why(number)["reasons"], "it says why")
    )
    assert company.pull(number)["state"] == "open"

    # New commits: what was said does not hold for them.
    eve.push(clone, "greet", "fix: greet nicely", {"checks/greet.sh": "grep -q hello greeting.txt\n"})
    until(lambda: company.labels(number) & {"lgtm", "ok-to-test"} == set(), "the labels are gone")
    assert company.job(number) == ""
    bob.say(number, "/ok-to-test")
    assert company.over(number) == "success"

    # Her own word does not count; the owners' does.
    eve.say(number, "/lgtm\n/approve")
    until(lambda: "cannot lgtm your own" in company.said(number), "she cannot lgtm her own")
    eve.say(number, "/hold")
    until(lambda: "do-not-merge/hold" in company.labels(number), "it is held")
    bob.say(number, "/lgtm\n/approve")
    until(lambda: company.why(number)["reasons"] == ["it has the label do-not-merge/hold"], "only the hold is left")

    # It can be looked at.
    def answers() -> str:
        for one in company.get("/api/previews", repository=SHOP, live=1)["previews"]:
            if one["number"] == number and one["state"] == "ready":
                return CLIENT.get(one["url"]).text
        return ""

    assert until(answers, "a preview answers", now=lambda: company.get("/api/previews")) == "hello from eve\n"

    # A second change is ready too; both go in.
    place = ann.home / "acme-shop"
    ann.git("checkout", "-q", "main", where=place)
    # Its test takes a while: that both are tested together is to be seen, and cut short, on a fast machine too.
    ann.push(place, "second", "fix: check twice", {"checks/second.sh": "sleep 4\n"})
    second = ann.send(f"repositories/{SHOP}/pulls", head="second", title="fix: check twice")["pull"]["number"]
    ann.say(second, "/hold")
    bob.say(second, "/lgtm\n/approve")
    assert company.over(second) == "success"
    until(lambda: company.why(second)["reasons"] == ["it has the label do-not-merge/hold"], "only the hold is left")
    bob.say(number, "/hold cancel")
    bob.say(second, "/hold cancel")
    # The server is ended while they are tested, and goes on where it was.
    until(
        lambda: any(pool["testing"] for pool in company.get("/api/delivery/pools")["pools"]),
        "the pool tests them",
        every=0.2,
        now=lambda: company.get("/api/delivery/pools"),
    )
    company.restart()
    for one in (number, second):
        until(
            lambda one=one: company.pull(one)["state"] == "merged",
            f"#{one} is merged",
            now=lambda one=one: company.why(one),
        )
    history = company.get("/api/delivery/pools")["pools"][0]["history"]
    merged = sorted(change for one in history if one["what"] == "merged" for change in one["changes"])
    assert merged == [number, second], "each once"

    # Its preview is gone; it is released; staging has it; production waits for somebody.
    until(lambda: not company.get("/api/previews", repository=SHOP, live=1)["previews"], "its preview is gone")
    version = "0.1.0"
    for one in history:
        if one["what"] == "merged":
            # Merged at once they are one release, else two: the feature is a minor version, the mending a patch.
            version = "0.2.0" if number in one["changes"] else following(version)
    until(
        lambda: company.declared("staging") == version,
        f"staging has {version}",
        now=lambda: company.get("/api/promotions"),
    )
    assert company.declared("production") == "0.0.1"

    promotion = until(lambda: company.promotion(version), "production is asked for")
    bob.send(f"repositories/{DEPLOY}/pulls/{promotion}/reviews", state="approved")
    until(lambda: company.declared("production") == version, "production has it")
    is_told_of(company, version)


def is_told_of(company: Company, version: str) -> None:
    """What a release was made of is known wherever the release is: the run that tested it, its signed provenance."""
    found = company.get("/api/releases", service="shop")["releases"]
    mark = next(one["mark"] for one in found if one["version"] == version)
    assert mark["environment"] in ("", "staging", "production")
    made_of, tag = mark["made_of"], f"v{version}"
    assert (made_of["forge"], made_of["repository"], made_of["tag"]) == ("local", SHOP, tag)
    assert made_of["run"].startswith("unit-")
    envelope = CLIENT.get(company.server.http + made_of["provenance"]).json()
    assert envelope == company.get("/api/delivery/releases/provenance", repository=SHOP, tag=tag)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    said = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert said["buildDefinition"]["internalParameters"]["release"]["tag"] == tag
    run = said["runDetails"]["metadata"]["invocationId"]
    assert run.startswith(made_of["run"].rpartition("-")[2]), "it speaks of the run"
    place = company.ann.home / "acme-shop"
    company.ann.git("fetch", "-q", "--tags", where=place)
    assert f"## {version}" in company.ann.git("tag", "-l", "--format=%(contents)", tag, where=place)
    for words, answer in (
        (["releases", "make", SHOP, "--dry-run"], f"would release shop {version} "),
        (["env", "previews", "-o", "table"], "no previews"),
    ):
        shown = CliRunner().invoke(program(words[0]), [*words, "--server", company.server.http])
        assert (shown.exit_code, answer in shown.output) == (0, True), shown.output


def following(version: str) -> str:
    """The next patch."""
    head, _, patch = version.rpartition(".")
    return f"{head}.{int(patch) + 1}"


def spans(version: str, failing: float) -> bytes:
    """A hundred requests that a version of the shop answered, so many of them with an error."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (("service.name", "shop"), ("service.version", version), ("service.instance.id", version)):
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    now = time.time_ns()
    for at in range(100):
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="GET /", kind=2)
        span.start_time_unix_nano = now - at * 1_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + 5_000_000
        if at < failing * 100:
            span.status.code = 2
    return request.SerializeToString()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_bad_verdict_takes_production_back(company: Company) -> None:
    """After the test above: production is rolled out by steps now, and the new version fails every third request."""
    ann, bob = company.ann, company.bob
    before = company.declared("production")
    version = following(before)
    with router() as hook:
        plan = "{traffic: {by: http, url: '%s'}, steps: [{weight: 10, for: 10m}, {weight: 100}], judge: {every: 10s}}"
        rolled = ENVIRONMENTS.replace(
            "Manual, services: [shop]}", f"Manual, services: [shop], rollout: {plan % hook.url}}}"
        )
        deploy = ann.home / "acme-deploy"
        ann.git("pull", "-q", "--rebase", "origin", "main", where=deploy)
        ann.push(deploy, "main", "chore: roll production out", {"environments.yaml": rolled})
        place = ann.home / "acme-shop"
        ann.git("fetch", "-q", "origin", where=place)
        ann.git("checkout", "-q", "-B", "third", "origin/main", where=place)
        ann.push(place, "third", "fix: be quick", {"greeting.txt": "hi\n", "checks/greet.sh": "true\n"})
        number = ann.send(f"repositories/{SHOP}/pulls", head="third", title="fix: be quick")["pull"]["number"]
        bob.say(number, "/lgtm\n/approve")
        until(lambda: company.declared("staging") == version, "it is in staging")

        promotion = until(lambda: company.promotion(version), "production is asked for")
        bob.send(f"repositories/{DEPLOY}/pulls/{promotion}/reviews", state="approved")
        until(lambda: company.declared("production") == version, "production declares it")

        def taken_back() -> bool:
            for each, failing in ((before, 0.0), (version, 0.33)):
                sent = CLIENT.post(f"{company.server.otlp}/v1/traces", content=spans(each, failing),
                                   headers={"content-type": "application/x-protobuf"})  # fmt: skip
                assert sent.is_success, sent.text
            # The judge needs seconds of steady traffic, however much of it there is.
            time.sleep(0.8)
            return company.declared("production") == before

        until(taken_back, "production is taken back", 300, lambda: company.get("/api/rollouts"))
        assert hook.weights is not None
        assert hook.weights[version] == 0
        rollout = company.get("/api/rollouts", service="shop")["rollouts"][0]
        assert rollout["state"] == "rolled_back"
    promotions = company.get("/api/promotions")["promotions"]
    assert any(one["kind"] == "rollback" and one["version"] == before for one in promotions)
