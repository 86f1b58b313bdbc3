"""Where an artifact came from: SLSA provenance of a run, signed, and verified again.

The statement is in-toto v1 with the predicate SLSA provenance v1; the envelope is DSSE, signed with ed25519. What a run
built is found as Tekton Chains finds it: results `*IMAGE_URL` + `*IMAGE_DIGEST`, `IMAGES`, `*ARTIFACT_OUTPUTS`, and
step artifacts. Source: slsa.dev/spec/v1.0/provenance, DSSE protocol v1, Tekton Chains' `docs/slsa-provenance.md`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilothouse import __version__
from pilothouse.delivery.pipelines import conditions
from pilothouse.delivery.pipelines.errors import PipelineError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PAYLOAD = "application/vnd.in-toto+json"
BUILDER = "https://pilothouse.dev/pipelines/v1"


class ProvenanceError(PipelineError):
    """A statement that cannot be made, or an envelope that does not hold."""


def statement(body: dict[str, Any], task_runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The provenance of a finished run. Raises `ProvenanceError` for one that is not over or failed."""
    found = conditions.of(body.get("status") or {})
    if not found.succeeded:
        raise ProvenanceError(f"{body['metadata']['name']} is {found.reason}: only a run that succeeded has provenance")
    status, spec = body["status"], body["spec"]
    subjects = _distinct(subject for one in [body, *task_runs] for subject in _subjects(one.get("status") or {}))
    executors = sorted(
        {(one["metadata"].get("annotations") or {}).get("pilothouse.dev/executor", "") for one in task_runs}
    )
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://tekton.dev/chains/v2/slsa-tekton",
                "externalParameters": {"runSpec": spec},
                "internalParameters": {"labels": body["metadata"].get("labels") or {}, "executors": executors},
                "resolvedDependencies": _distinct(_dependencies(body, task_runs)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"pilothouse": __version__}},
                "metadata": {
                    "invocationId": body["metadata"]["uid"],
                    "startedOn": status.get("startTime"),
                    "finishedOn": status.get("completionTime"),
                },
                "byproducts": [
                    {"name": f"results/{one['name']}", "content": _encoded(one["value"])}
                    for one in status.get("results") or []
                ],
            },
        },
    }


def sign(payload: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """A DSSE envelope around a statement."""
    data = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = key.sign(_encoding(_PAYLOAD, data))
    return {
        "payloadType": _PAYLOAD,
        "payload": base64.b64encode(data).decode(),
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def verify(envelope: Any, key: Ed25519PublicKey) -> dict[str, Any]:
    """The statement in an envelope that was signed with the key. Raises `ProvenanceError`."""
    from cryptography.exceptions import InvalidSignature

    try:
        data = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
        kind = str(envelope["payloadType"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise ProvenanceError("not a DSSE envelope") from None
    for signature in signatures:
        try:
            key.verify(signature, _encoding(kind, data))
        except InvalidSignature:
            continue
        if kind != _PAYLOAD:
            raise ProvenanceError(f"the envelope holds {kind}, not {_PAYLOAD}")
        return dict(json.loads(data))
    raise ProvenanceError("no signature of this key is on the envelope, or what it signed was changed")


def covers(found: dict[str, Any], digest: str) -> bool:
    """Whether a statement speaks of an artifact: `sha256:…`."""
    name, _, value = digest.partition(":")
    return any((one.get("digest") or {}).get(name) == value for one in found.get("subject") or [])


def load_or_make(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file; made where there is none, for its owner only. Raises `ProvenanceError`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if path.exists():
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise ProvenanceError(f"{path}: not a private key: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise ProvenanceError(f"{path}: must be an ed25519 key")
        return key
    made = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(
            made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    path.with_suffix(".pub").write_bytes(
        made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return made


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises `ProvenanceError`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ProvenanceError(f"{path}: not a public key: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ProvenanceError(f"{path}: must be an ed25519 key")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key, as a name for it."""
    import hashlib

    from cryptography.hazmat.primitives import serialization

    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return "SHA256:" + hashlib.sha256(raw).hexdigest()


def _subjects(status: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found = {one["name"]: one["value"] for one in status.get("results") or []}
    for name, value in found.items():
        if name.endswith("IMAGE_URL") and isinstance(value, str):
            digest = found.get(name.removesuffix("IMAGE_URL") + "IMAGE_DIGEST")
            if isinstance(digest, str):
                yield _subject(value.strip(), digest.strip())
        elif name == "IMAGES" and isinstance(value, str):
            for part in value.replace(",", "\n").split():
                uri, _, digest = part.partition("@")
                yield _subject(uri, digest)
        elif name.endswith("ARTIFACT_OUTPUTS") and isinstance(value, dict) and value.get("digest"):
            yield _subject(value.get("uri", ""), value["digest"])
    for one in (status.get("artifacts") or {}).get("outputs") or []:
        for value in one.get("values") or []:
            yield {"name": value.get("uri", ""), "digest": value.get("digest") or {}}


def _dependencies(body: dict[str, Any], task_runs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in [body, *task_runs]:
        status = one.get("status") or {}
        if source := (status.get("provenance") or {}).get("refSource"):
            yield {
                "uri": source.get("uri", ""),
                "digest": source.get("digest") or {},
                "name": one["kind"].removesuffix("Run").lower(),
            }
        for step in status.get("steps") or []:
            uri, _, digest = str(step.get("imageID", "")).partition("@")
            if uri:
                yield {
                    "uri": uri,
                    "digest": {"sha256": digest.removeprefix("sha256:")} if digest else {},
                    "name": "image",
                }
        found = {result["name"]: result["value"] for result in status.get("results") or []}
        if found.get("CHAINS-GIT_URL") and found.get("CHAINS-GIT_COMMIT"):
            yield {
                "uri": f"git+{str(found['CHAINS-GIT_URL']).strip()}",
                "digest": {"sha1": str(found["CHAINS-GIT_COMMIT"]).strip()},
                "name": "source",
            }


def _subject(name: str, digest: str) -> dict[str, Any]:
    kind, _, value = digest.partition(":")
    return {"name": name, "digest": {kind: value}}


def _distinct(found: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in dict.fromkeys(json.dumps(one, sort_keys=True) for one in found)]


def _encoded(value: Any) -> str:
    return base64.b64encode(json.dumps(value, ensure_ascii=False).encode()).decode()


def _encoding(kind: str, data: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(data), data)
