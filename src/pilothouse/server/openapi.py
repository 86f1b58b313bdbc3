"""The description of our own API, as OpenAPI 3.1: `GET /api/openapi.json`.

Written as a table beside the handlers: the handlers stay thin, and a test fails when a path or a parameter is missing
here or is here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse import __version__

_RANGE = {
    "start": "from: RFC 3339, Unix seconds, or a distance back from now (2h)",
    "end": "until, in the same forms; now when not given",
    "since": "short for start: 15m, 1h, 2d",
}
_SELECTOR = {"selector": 'labels: service_name="checkout",env=~"prod|staging"'}
_SERVICE = {"service": "service.name"}
_VERSIONS = {"versions": "up to ten service.version values, separated by commas"}
_PROFILES = (
    _SERVICE
    | _SELECTOR
    | _RANGE
    | {"labels": 'labels of samples: thread_name="..."', "span": "a span's id", "type": "cpu, inuse_space, ..."}
)
_FUNCTION = {"function": "only stacks with a function whose name contains this"}
_TREE = {"nodes": "most nodes, 16 to 200000", "depth": "most levels, 1 to 400"}
_LINES = {
    "query": "LogQL, or labels as elsewhere; nothing means every stream",
    "selector": "the same, for labels",
    "contains": "text that the line contains; may be repeated",
    "matches": "a regular expression (RE2) that the line matches; may be repeated",
    "invert": "1: lines that do not contain or match",
    "severity": "at least: trace, debug, info, warn, error, fatal",
    "trace_id": "32 hexadecimal digits",
}
_QUERY_OPTIONS = {
    "limit": "1 to 1000000",
    "direction": "backward (newest first) or forward",
    "context": "lines before and after each in its stream, 0 to 100",
    "count": "1: only how many there are, as one object",
    "most_bytes": "stop after reading so many bytes of lines and say how to go on",
}
_SIDES = {
    f"{side}_{part}": words.format(side)
    for side in ("baseline", "candidate")
    for part, words in {
        "where": "labels that narrow only the {}: another region, other pods",
        "start": "another start for the {}",
        "end": "another end for the {}",
    }.items()
}
_WHOLE = {"limit", "count", "nodes", "depth", "rollout", "promotion", "preview", "port"}


_MARK = {
    "service": "service.name",
    "version": "the version that was released",
    "at": "when, in the forms of start; now when not given",
    "kind": "release, or config: a change of configuration that is no new version",
    "by": "who says so",
    "environment": "deployment.environment.name",
    "commit": "the commit",
    "url": "a page about it",
    "note": "anything a reader should know",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One GET call: what it is for (empty where there is none), its parameters with meanings, which must be there.

    Without a summary there is only the POST. `post` is what the same path does with a POST, if anything, and `body` the
    fields of the JSON object it takes.
    """

    summary: str
    parameters: dict[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    post: str = ""
    body: dict[str, str] = field(default_factory=dict)


_TRACES = {
    "q": "a TraceQL query, instead of all other conditions",
    "service": "service.name",
    "operation": "the span's name",
    "min_duration": "100ms",
    "max_duration": "2s",
    "errors": "1: only spans with an error",
    "limit": "1 to 1000",
}
_DELIVERY: dict[str, Operation] = {
    "/api/delivery/pulls": Operation(
        "pull requests with what each waits for, the one that changed last first",
        {"repository": "OWNER/NAME", "state": "open, closed or merged", "limit": "1 to 10000"},
    ),
    "/api/delivery/pulls/{owner}/{name}/{number}/why": Operation(
        "why a pull request does not merge and its jobs ran or did not, from the records that decided",
        {"owner": "who owns the repository", "name": "the repository's name", "number": "the pull request's number"},
    ),
    "/api/delivery/jobs": Operation(
        "jobs, newest first, each with the run that it is",
        {"repository": "OWNER/NAME", "number": "a pull request's number", "limit": "1 to 10000"},
    ),
    "/api/delivery/decisions": Operation(
        "everything that was decided with what it was decided from, oldest first, as JSON lines",
        {"repository": "OWNER/NAME"},
    ),
    "/api/delivery/pools": Operation("the merge pools: who waits, what is tested together, what was done last"),
    "/api/delivery/events": Operation(
        "what came from forges and how it stands, newest first",
        {
            "repository": "OWNER/NAME", "number": "a pull request's number",
            "state": "waiting, taken, done, ignored or aside", "since": "how far back: 15m, 1h, 2d",
            "limit": "1 to 10000", "format": "json, or lines: oldest first, one event a line",
        },
    ),
    "/api/delivery/events/{event}": Operation("one event with its contents", {"event": "its number"}),
    "/api/delivery/events/{event}/retry": Operation(
        "", {"event": "its number"}, post="try an event again that was set aside", body={}
    ),
}  # fmt: skip
_ROOT = "/api/forge/repositories/{owner}/{name}"
_REPOSITORY = {"owner": "a user or an organisation", "name": "the repository's name"}
_NUMBERED = _REPOSITORY | {"number": "the pull request's number"}
_AT = {"path": "from the repository's root", "ref": "a branch, a tag, a hash; the default branch when not given"}
_FORGE: dict[str, Operation] = {
    "/api/forge/repositories": Operation(
        "the built-in forge's repositories that may be seen",
        post="make a repository, or a fork of one",
        body={
            "name": "OWNER/NAME; of a fork: your own name and the repository's when not given",
            "description": "what it is",
            "private": "true: only for those who are let in",
            "default_branch": "main when not given",
            "fork_of": "OWNER/NAME of the repository to fork",
        },
    ),
    _ROOT: Operation(
        "one repository with branches, tags, labels, milestones, people and protections",
        _REPOSITORY,
        post="change its settings",
        body={
            "description": "what it is",
            "default_branch": "the main branch, which is there",
            "private": "true: only for those who are let in",
            "archived": "true: nobody pushes any more",
            "delete": "true: take it away for good, instead",
            "protect": "a pattern of branches that only go forward and stay",
            "push": "with protect: none, triage, write or admin: who may still push there",
            "unprotect": "a pattern whose protection ends",
            "allow": "a user to let in",
            "permission": "with allow: none, read, triage, write or admin",
            "add_label": "a label that can be given",
            "add_milestone": "a milestone to open",
            "close_milestone": "a milestone to close",
        },
    ),
    f"{_ROOT}/pulls": Operation(
        "pull requests, newest first",
        _REPOSITORY | {"state": "open, closed, merged or all", "limit": "1 to 10000"},
        post="ask for a merge",
        body={
            "head": "BRANCH, or OWNER:BRANCH of a fork",
            "base": "the branch to merge into; the default branch when not given",
            "title": "a line",
            "body": "what and why",
            "draft": "true: not ready yet",
        },
    ),
    f"{_ROOT}/pulls/{{number}}": Operation(
        "one pull request with files, commits, comments, reviews and statuses",
        _NUMBERED,
        post="change or merge it",
        body={
            "title": "another title",
            "body": "another description",
            "milestone": "an open milestone; empty takes it away",
            "add_labels": "a list of labels",
            "remove_labels": "a list of labels",
            "assign": "a list of logins",
            "unassign": "a list of logins",
            "request_review": "a list of logins",
            "unrequest_review": "a list of logins",
            "action": "merge, close, reopen, draft or ready",
            "method": "with merge: merge, squash or rebase",
            "head": "with merge: the commit that was looked at; any when not given",
            "message": "with merge: the commit's message",
        },
    ),
    f"{_ROOT}/pulls/{{number}}/diff": Operation("its changes as a unified diff (text)", _NUMBERED),
    f"{_ROOT}/pulls/{{number}}/comments": Operation(
        "its comments, oldest first",
        _NUMBERED,
        post="comment",
        body={"body": "the comment", "key": "there is one comment of each key, which is edited"},
    ),
    f"{_ROOT}/pulls/{{number}}/reviews": Operation(
        "its reviews, oldest first",
        _NUMBERED,
        post="review it",
        body={
            "state": "approved, changes_requested or commented",
            "body": "what you think",
            "commit": "the commit that was looked at; the head when not given",
        },
    ),
    f"{_ROOT}/statuses/{{sha}}": Operation(
        "how a commit's checks stand",
        _REPOSITORY | {"sha": "the commit's hash"},
        post="say how one stands",
        body={
            "state": "pending, success, failure or error",
            "context": "which check: ci/test",
            "description": "a line",
            "url": "a page about it",
        },
    ),
    f"{_ROOT}/tree": Operation("what a folder holds", _REPOSITORY | _AT),
    f"{_ROOT}/file": Operation("a file's bytes", _REPOSITORY | _AT),
    "/api/forge/users": Operation(
        "the forge's users",
        post="add or change a user; for administrators",
        body={
            "login": "the name to log in with",
            "name": "as commits have it",
            "email": "as commits have it",
            "bot": "true: a program, whose comments are never commands",
            "admin": "true: an administrator",
            "remove": "instead: a user to take away with tokens and rights",
        },
    ),
    "/api/forge/members": Operation(
        "who belongs to an organisation of the forge",
        {"organization": "its name"},
        post="let somebody into one",
        body={
            "organization": "its name",
            "login": "a user",
            "permission": "in all of its repositories: read, triage, write, admin; none ends it",
        },
    ),
    "/api/forge/tokens": Operation(
        "a user's tokens without their secrets",
        {"login": "whose; your own when not given"},
        post="make or end a token",
        body={
            "login": "whose; your own when not given",
            "name": "what it is for",
            "read_only": "true: it changes nothing",
            "expires_in": "a duration: 90d; for ever when not given",
            "revoke": "the number of a token to end, instead",
        },
    ),
}
OPERATIONS: dict[str, Operation] = {
    "/api/status": Operation("version, uptime, where to point an SDK"),
    "/api/openapi.json": Operation("this description"),
    "/api/backups": Operation(
        "the backups, newest first",
        post="make a backup of everything, now",
        body={"keep": "delete older ones than the newest so many; 0: none"},
    ),
    "/api/audit": Operation("who changed what, the newest first", {"limit": "1 to 10000"}),
    "/api/tokens": Operation(
        "the tokens, without their secrets",
        post="make a token, whose text is told this once, or take one back",
        body={
            "name": "what it is known by in lists and the audit log",
            "scopes": "ingest, read, act, admin: a list; read when not given",
            "expires_in": "a duration: 90d; for ever when not given",
            "revoke": "the id of a token to take back, instead",
        },
    ),
    "/api/hazards": Operation(
        "what was found in the watched cluster, the most severe first",
        {
            "rule": "only of this rule: DNS-001",
            "state": "latent, active, hurting or not evaluable",
            "namespace": "only in this namespace",
            "severity": "at least: info, low, medium, high, critical",
            "resolved": "true: also those that are gone",
        },
    ),
    "/api/pipelines": Operation("the pipelines of the server's directory, which is null where there is none"),
    "/api/hazards/rules": Operation("the rules", {"family": "only of this family: dns, daemonsets, ..."}),
    "/api/hazards/findings/{fingerprint}/fix": Operation(
        "a finding's fix in its live object, as a diff and as a command", {"fingerprint": "as /api/hazards tells it"}
    ),
    "/api/mesh": Operation(
        "the mesh: services, splits with measured shares, access, calls, findings",
        {"since": "how far back is measured: 5m", "namespace": "only this namespace"},
    ),
    "/api/mesh/shares": Operation(
        "each split's measured shares against its weights, with confidence intervals",
        {"since": "how far back is measured: 5m", "service": "only splits of this Service: shop/checkout"},
    ),
    "/api/mesh/observed": Operation(
        "calls between services as their spans show them: who, whom, method, route; for least-privilege targets", _RANGE
    ),
    "/api/mesh/explain": Operation(
        "one request: which split sends it where, and which target lets it in",
        {
            "from": "the caller's ServiceAccount: shop/web",
            "to": "the Service that is called: shop/checkout",
            "method": "an HTTP method, GET when not given; TCP for a connection",
            "path": "the path, / when not given",
            "port": "the Service's port; its first when not given",
            "header": "NAME:VALUE; may be repeated",
        },
        frozenset({"from", "to"}),
    ),
    **_DELIVERY,
    **_FORGE,
    "/api/dashboards": Operation("the dashboards in the folder, as they are in their files"),
    "/api/logs": Operation(
        "log records, newest first",
        _SELECTOR
        | _RANGE
        | {
            "contains": "text that the body contains; may be repeated",
            "severity": "at least: trace, debug, info, warn, error, fatal",
            "trace_id": "32 hexadecimal digits",
            "limit": "1 to 10000",
            "count": "1: only how many there are",
        },
    ),
    "/api/logs/query": Operation(
        "lines of a LogQL query as they are found, a JSON object a line", _LINES | _RANGE | _QUERY_OPTIONS
    ),
    "/api/logs/tail": Operation("lines as they come, a JSON object a line", _LINES | _RANGE | {"limit": "1 to 10000"}),
    "/api/logs/price": Operation("what a query would read: rows, bytes, seconds", _LINES | _RANGE),
    "/api/logs/patterns": Operation(
        "shapes of lines with their counts over time",
        _LINES
        | _RANGE
        | {
            "step": "seconds between two counts",
            "new_since": "mark shapes not seen before: 15m",
            "new_in": "shapes of this version, those marked that no other has",
        },
    ),
    "/api/metrics": Operation(
        "series with their values or rates over time",
        _SELECTOR
        | _RANGE
        | {
            "name": "only this metric",
            "step": "distance of the points: 15s",
            "limit": "1 to 5000",
            "points": "0: without points",
        },
    ),
    "/api/traces": Operation("traces with a span that fits, newest first", _SELECTOR | _RANGE | _TRACES),
    "/api/traces/critical": Operation(
        "the operations that the traces spend their time in: their critical paths added up",
        _SELECTOR | _RANGE | _TRACES,
    ),
    "/api/traces/compare": Operation(
        "two versions of a service: which operations slowed, where in the tree",
        _SERVICE
        | _RANGE
        | {
            "baseline": "a version",
            "candidate": "another version",
            "operation": "trees that begin with spans of this name",
            "limit": "newest traces of each version, 1 to 2000",
        },
        frozenset({"service", "baseline", "candidate"}),
    ),
    "/api/services": Operation("services with their versions, and when each was seen", _RANGE),
    "/api/releases": Operation(
        "releases, newest first",
        _SERVICE | _RANGE | {"limit": "1 to 10000"},
        post="mark a release, or a change of configuration",
        body=_MARK,
    ),
    "/api/compare": Operation(
        "the verdict on a candidate against a baseline",
        _SERVICE
        | _SELECTOR
        | _RANGE
        | {"baseline": "a version", "candidate": "a version", "kind": "migration: the old home against Kubernetes"}
        | _SIDES,
        frozenset({"service"}),
    ),
    "/api/verdicts/{verdict}": Operation(
        "a comparison as it was judged then", {"verdict": "its number, from a release's or a rollout's link"}
    ),
    "/api/why": Operation(
        "what changed at a time: the service before and after it, and what changed around it",
        _SERVICE | {"at": "the time, in the forms of start", "around": "how long after it, and twice that before: 15m"},
        frozenset({"service", "at"}),
    ),
    "/api/slos": Operation(
        "objectives with their burn rates",
        _SERVICE | {"at": "an instant, in the forms of start; now when not given"},
        post="declare objectives, or forget one",
        body={"slo": "OpenSLO or the short form, as YAML or an object", "forget": "service and name of one"},
    ),
    "/api/rollouts": Operation(
        "rollouts, newest first",
        _SERVICE | {"limit": "1 to 1000"},
        post="start a rollout",
        body={
            "plan": "YAML text or an object: our own form, Flagger's Canary, Argo's Rollout, Kayenta's config",
            "service": "instead of the plan's",
            "baseline": "instead of the plan's",
            "candidate": "instead of the plan's",
            "traffic": "instead of the plan's: what shifts the traffic",
            "by": "who starts it",
            "dry_run": "true: only say what would be done",
        },
    ),
    "/api/rollouts/{rollout}": Operation(
        "one rollout with all that happened to it",
        {"rollout": "its number"},
        post="pause, resume, promote or abort it",
        body={
            "action": "pause, resume, promote or abort",
            "by": "who does it",
            "note": "why",
            "full": "true: promote to the last step, not to the next",
        },
    ),
    "/api/environments": Operation(
        "the environments in their order: what each declares, what runs there, and where the two differ",
        {"service": "only this service"},
    ),
    "/api/environments/{environment}/change": Operation(
        "what a version would change in Kubernetes, and the hazards that it would bring",
        {"environment": "its name", "service": "the service", "version": "the version it would have"},
        frozenset({"service", "version"}),
    ),
    "/api/promotions": Operation(
        "promotions and rollbacks, newest first",
        {
            "service": "only of this service",
            "environment": "only into this one",
            "ongoing": "1: only those that have not ended",
            "limit": "1 to 1000",
        },
        post="take a version into an environment",
        body={
            "service": "the service",
            "version": "its version",
            "to": "the environment",
            "by": "who asks",
            "onward": "true: go on to the next environment once deployed",
        },
    ),
    "/api/promotions/{promotion}": Operation(
        "one promotion with all that happened to it",
        {"promotion": "its number"},
        post="approve one into a folder, or cancel one that is not merged",
        body={"action": "approve or cancel", "by": "who does it"},
    ),
    "/api/delivery/releases": Operation(
        "commits of default branches: which were released as what, which wait, which are none",
        {"repository": "only of this one: OWNER/NAME", "limit": "1 to 1000"},
        post="release a commit now",
        body={
            "repository": "OWNER/NAME, or FORGE:OWNER/NAME where there are several forges",
            "version": "instead of the one that follows",
            "commit": "instead of the default branch's tip",
            "by": "who asks",
            "dry_run": "true: only say what would be released",
        },
    ),
    "/api/delivery/releases/provenance": Operation(
        "where a release came from, signed: a DSSE envelope",
        {"repository": "OWNER/NAME, or FORGE:OWNER/NAME where there are several forges", "tag": "its tag"},
        frozenset({"repository", "tag"}),
    ),
    "/api/previews": Operation(
        "the previews of pull requests: where each is, how it stands, until when",
        {"repository": "only of this one: OWNER/NAME", "live": "1: only those that have not ended"},
    ),
    "/api/previews/{preview}": Operation(
        "one preview with its last lines",
        {"preview": "its number"},
        post="end it before its time",
        body={"action": "stop", "by": "who does it"},
    ),
    "/api/correlate": Operation(
        "from a point of one signal to the other three",
        _SELECTOR
        | _RANGE
        | {
            "trace_id": "32 hexadecimal digits",
            "span_id": "16 hexadecimal digits, with trace_id",
            "metric": "a metric's name",
            "function": "a function of a stack",
            "at": "an instant, instead of a range",
            "around": "how far to either side of it: 30s",
            "limit": "examples of each signal, 1 to 100",
        },
    ),
    "/api/correlate/different": Operation(
        "attributes that some spans or lines have more often than the rest",
        _SERVICE
        | _SELECTOR
        | _RANGE
        | {
            "signal": "traces or logs",
            "operation": "spans: only of this name",
            "min_duration": "spans that took at least: 100ms",
            "max_duration": "spans that took at most: 2s",
            "errors": "1: spans with an error",
            "contains": "lines that contain this",
            "severity": "lines at least so severe: error",
            "picked": 'attributes of what is selected: http.route="/pay"',
            "limit": "1 to 1000",
        },
    ),
    "/api/traces/durations": Operation(
        "a histogram of an operation's durations, for each version",
        _SERVICE | _VERSIONS | _RANGE | {"operation": "the span's name", "kind": "the span's kind as a number"},
        frozenset({"service", "operation", "versions"}),
    ),
    "/api/metrics/range": Operation(
        "a metric of a service over time, for each version",
        _SERVICE | _VERSIONS | _RANGE | {"name": "the metric", "labels": "labels of the series"},
        frozenset({"service", "name", "versions"}),
    ),
    "/api/profiles/types": Operation(
        "which types of profile there are", {name: words for name, words in _PROFILES.items() if name != "type"}
    ),
    "/api/profiles/top": Operation(
        "functions by cost", _PROFILES | _FUNCTION | {"limit": "1 to 10000", "by": "self or total"}
    ),
    "/api/profiles/folded": Operation(
        "folded stacks", _PROFILES | _FUNCTION | {"limit": "1 to 1000000", "format": "json or text"}
    ),
    "/api/profiles/flame": Operation("a flame graph as a tree", _PROFILES | _FUNCTION | _TREE),
    "/api/profiles/function": Operation(
        "callers, callees and lines of a function, and the stacks above and below it",
        _PROFILES | _TREE | {"function": "its exact name", "file": "its file, where several have the name"},
        frozenset({"function"}),
    ),
    "/api/profiles/timeline": Operation(
        "what a function took over time",
        _PROFILES | {"function": "its exact name", "step": "seconds, 60 to 86400"},
        frozenset({"function"}),
    ),
    "/api/profiles/diff": Operation(
        "a flame graph of the difference of two versions, scaled to the same time",
        _PROFILES
        | _FUNCTION
        | _TREE
        | {
            "baseline": "a service.version or a selector",
            "candidate": "a service.version or a selector",
            "baseline_start": "another start for the baseline",
            "baseline_end": "another end for the baseline",
            "limit": "how many functions, 0 to 10000",
            "per": "total, second, or request (server spans)",
            "level": "of the functions' simultaneous intervals: 0.999",
        },
        frozenset({"baseline", "candidate"}),
    ),
    "/api/profiles/export": Operation("a file", _PROFILES | {"format": "pprof, folded or speedscope"}),
    "/api/traces/graph": Operation("which service calls which: rate, errors, latency", _RANGE),
    "/api/traces/{trace_id}": Operation(
        "one trace; of a very large one the spans that tell most, with how many there are",
        {"trace_id": "32 hexadecimal digits", "limit": "at most so many spans (10000)"},
    ),
}


_RUN = {"run": "its name or UID"}
# What a server with a directory of pipelines answers besides; one without answers 404.
PIPELINES: dict[str, Operation] = {
    "/api/pipelines/runs": Operation(
        "runs, newest first",
        {"pipeline": "only of this one", "limit": "1 to 10000"},
        post="start a Pipeline, a Task, or a run of the directory",
        body={"name": "which", "params": "an object: texts, lists, objects of texts"},
    ),
    "/api/pipelines/runs/{run}": Operation("one run with its TaskRuns, as Tekton's objects", _RUN),
    "/api/pipelines/runs/{run}/tasks": Operation("its tasks as a graph with their times", _RUN),
    "/api/pipelines/runs/{run}/logs": Operation(
        "what its steps wrote, as text",
        _RUN | {"task": "only of this task", "step": "only of this step", "follow": "1: until the run ends"},
    ),
    "/api/pipelines/runs/{run}/cancel": Operation(
        "",
        _RUN,
        post="end it early",
        body={"how": "Cancelled, CancelledRunFinally or StoppedRunFinally"},
    ),
}


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pilothouse", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {path: _methods(path, operation) for path, operation in (OPERATIONS | PIPELINES).items()},
        "components": {"schemas": {"Error": _ERROR}},
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"}},
        }
    },
}


def _methods(path: str, operation: Operation) -> dict[str, Any]:
    asked = _operation(path, operation)
    # A path that only takes something has nothing to say of itself.
    methods = {"get": asked} if operation.summary else {}
    if operation.post:
        sent = _operation(path, Operation(operation.post))
        fields = {name: {"description": words} for name, words in operation.body.items()}
        schema = {"type": "object", "properties": fields}
        methods["post"] = sent | {
            "operationId": f"post_{sent['operationId']}",
            "parameters": [one for one in asked["parameters"] if one["in"] == "path"],
            "requestBody": {"content": {"application/json": {"schema": schema}}},
        }
    return methods


def _operation(path: str, operation: Operation) -> dict[str, Any]:
    failed = {"$ref": "#/components/schemas/Error"}
    return {
        "summary": operation.summary,
        "operationId": path.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace(".", "_"),
        "parameters": [_parameter(path, name, operation) for name in operation.parameters],
        "responses": {
            "200": {"description": "the answer", "content": {"application/json": {"schema": {"type": "object"}}}},
            "4XX": {"description": "what is wrong", "content": {"application/json": {"schema": failed}}},
            "503": {"description": "not now", "content": {"application/json": {"schema": failed}}},
        },
    }


def _parameter(path: str, name: str, operation: Operation) -> dict[str, Any]:
    in_path = f"{{{name}}}" in path
    return {
        "name": name,
        "in": "path" if in_path else "query",
        "required": in_path or name in operation.required,
        "description": operation.parameters[name],
        "schema": {"type": "integer" if name in _WHOLE else "string"},
    }
