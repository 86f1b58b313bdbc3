"""Where a release came from, signed: SLSA provenance about its commit and what its pipeline built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse import __version__
from pilothouse.delivery.pipelines.provenance import BUILDER, sign, statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from pilothouse.delivery.releasing.release import Release

_TYPE = "https://pilothouse.dev/release/v1"


def attestation(
    release: Release, url: str, run: dict[str, Any] | None = None, task_runs: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The statement: of the pipeline's run when there is one, with the release's commit among its subjects.

    `url` is where the repository is cloned from, without credentials. Raises `ProvenanceError` for a run that is not
    over, or failed.
    """
    subject = {"name": f"git+{url}@refs/tags/{release.tag}", "digest": {"gitCommit": release.commit}}
    words = {
        "repository": release.repository, "service": release.service, "version": release.version, "tag": release.tag,
        "previous": release.before, "pullRequests": list(release.pulls),
    }  # fmt: skip
    if run is not None:
        made = statement(run, task_runs or [])
        made["subject"] = [subject, *made["subject"]]
        made["predicate"]["buildDefinition"]["internalParameters"]["release"] = words
        return made
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": _TYPE,
                "externalParameters": {"release": words},
                "internalParameters": {},
                "resolvedDependencies": [{"uri": f"git+{url}", "digest": {"gitCommit": release.commit}}],
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"pilothouse": __version__}}, "metadata": {}},
        },
    }


def signed(made: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The DSSE envelope, to be verified by `pilothouse pipeline verify`."""
    return sign(made, key)
