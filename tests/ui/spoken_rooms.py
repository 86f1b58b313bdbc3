"""Which files say what a page shows without its parts, and what their expressions may be."""

from __future__ import annotations

Values = dict[str, tuple[str, ...]]

_STATES = ("pending", "failure", "error")
_OF = ("X1 % of",)

# Files all of whose texts are shown: what of them is not is in `UNSAID`.
SAYING: dict[str, Values] = {
    "delivery/acting/deciding.py": {"where": ("of the merge X1", "of X1 at X1", "of the change itself")},
    "delivery/acting/depending.py": {"other.state": ("open", "closed")},
    "delivery/acting/explaining.py": {
        "ask": ("", "; ask X1"),
        "state": ("runs", "success", "failure", "error", "aborted"),
    },
    "delivery/environments/drifting.py": {"has": ("X1", "no workload of it"), "also": ("also", "instead")},
    "delivery/environments/hazardous.py": {},
    "delivery/merging/contexts.py": {"status.state": _STATES},
    "delivery/merging/eligible.py": {"status.state": _STATES, "pull.state": ("merged", "closed")},
    "delivery/merging/methods.py": {},
    "delivery/merging/pool.py": {},
    "delivery/pipelines/engine.py": {},
    "delivery/pipelines/runs/running.py": {},
    "delivery/pipelines/runs/scheduling.py": {},
    "delivery/pipelines/runs/status.py": {"note": ("", " (Ignored: X1)")},
    "delivery/pipelines/tasks/running.py": {"error.filename or ''": ("X1",)},
    "delivery/promoting/advancing.py": {},
    "delivery/promoting/asking.py": {},
    "delivery/promoting/driving.py": {},
    "delivery/promoting/opening.py": {},
    "delivery/promoting/serving.py": {},
    "delivery/promoting/shipping.py": {"run.state": ("running", "paused")},
    "delivery/promoting/weighing.py": {"view.state": ("merged", "closed")},
    "hazards/judging.py": {},
    "mesh/checking.py": {},
    "mesh/compiling/*.py": {},
    "mesh/controlling/controller.py": {},
    "mesh/controlling/planning.py": {},
    "mesh/controlling/rivals.py": {},
    "mesh/controlling/telling.py": {},
    "mesh/controlling/writing.py": {},
    "mesh/evaluating.py": {},
    "mesh/explaining.py": {},
    "mesh/measuring/asking.py": {},
    "mesh/reading/*.py": {},
    "mesh/splitting.py": {},
    "releases/slos/objective.py": {
        "share": _OF,
        "of": ("requests", "requests to X1"),
        "self.comparison": ("lte", "lt", "gte", "gt"),
    },
    "releases/rollout/argo.py": {},
    "releases/rollout/flagger.py": {},
    "releases/rollout/kayenta.py": {},
    "releases/speaking.py": {},
    "signals/timerange.py": {},
    "server/access/admission.py": {},
    "server/access/token_api.py": {},
    "server/access/tokens.py": {},
    "server/dashboards.py": {},
    "server/guarding.py": {},
}

# Files whose errors are shown; the rest of their texts is for machines.
REFUSING = (
    "delivery/acting/api.py", "delivery/pipelines/api.py", "delivery/previews/api.py", "delivery/promoting/api.py",
    "delivery/promoting/store.py", "hazards/api.py", "mesh/api.py", "releases/api.py", "releases/comparing.py",
    "releases/evidence.py", "releases/marking.py", "releases/parties.py", "releases/rollout/acting.py",
    "releases/rollout/api.py", "releases/slos/api.py", "releases/store/rollouts.py", "server/access/requests.py",
    "signals/correlate/*.py", "signals/logs/api.py", "signals/logs/questions.py", "signals/logs/streaming_api.py",
    "signals/profiles/api.py", "signals/profiles/diffing.py", "signals/selector.py", "signals/traces/api.py",
    "signals/traces/asking.py", "signals/wire.py",
)  # fmt: skip

# Put together of several texts, or handed on to an error in a variable.
ALSO = (
    "it is number X1 of X1; tested now: X1",
    "it is being merged; the forge has not taken it yet: X1",
    "span X1 of trace X1",
    "the question takes more than it may: X1",
    "start with mesh_config (a directory of SMI manifests), or watch a cluster: pilothouse up --kube --mesh istio",
)

# No sentence of its own, or not for a page: names of states and threads, comments on pull requests, notes of a command.
UNSAID = frozenset({
    "SMI: deny by default", "mesh controller", "mesh lease", "mesh write", "route X1/X1 port X1",
    "server X1 pods X1 port X1", "(?im)^depends-on:[ \\t]*(\\S+)[ \\t]*\\r?$", "It does not merge:",
    "Nothing stands against its merge.", "Merge pool: X1.", "The last batch with it that failed:", "; tested now: X1",
    "not taken", "; the forge has not taken it yet: X1", "not merged",
    "in sync", "rolling out", "no workload of it", "None that were not there before (X1 were).",
    "None that were not there before.", "- and X1 more", " (X1 known ones)",
    "Rollout X1 of X1 X1 was taken back: X1.", "\nMore: `X1` or X1", "**Rolled back in X1.** X1", "**Rolled back.** X1",
    "it ended badly", "pilothouse compare X1 X1 X1", "[the page](X1X1)", "the page at `X1`",
    "not evaluable without X1: X1 and more", "not evaluable without X1: X1", "asking telemetry: X1 of X1",
    "X1: X1 series answer, the first X1 are shown", "X1 could not be asked: X1", "an exporter", "the cluster",
    "of X1 at X1", "of the merge X1", "of the change itself",
    "it depends on X1#X1, ", "the PipelineRun cannot go on", "requests to X1",
    "identity and time is always asked last", "\n**X1** at step X1X1:X1",
})  # fmt: skip
