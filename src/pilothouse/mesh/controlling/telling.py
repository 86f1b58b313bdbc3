"""What is told on the resources: conditions, and an Event whenever one of them turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.kube.objects import KubeObject
from pilothouse.mesh.controlling.conditions import Told, conditions, merged
from pilothouse.mesh.controlling.planning import Plan, Wanted, subject_name, subjects_of
from pilothouse.mesh.controlling.watching import Key, Seen
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading

_PROGRAMMED = frozenset(("TrafficSplit", "TrafficTarget"))
_BAD = {"Accepted": "False", "ResolvedRefs": "False", "Programmed": "False", "FullyExpressed": "False"}


class Teller:
    """Writes conditions where they changed, and Events where a condition turned."""

    def __init__(self, writer: Writer, mesh: str) -> None:
        self._writer, self._mesh = writer, mesh
        self._said: dict[str, dict[str, tuple[str, str]]] = {}

    def tell(
        self, reading: Reading, findings: Iterable[Finding], made: Plan, failed: Mapping[Key, str],
        seen: Mapping[Key, Seen],
    ) -> None:  # fmt: skip
        """All resources of the interface: also those that could not be read."""
        told: dict[tuple[str, str, str], Told] = {}
        for one in seen.values():
            if one.object.group.endswith("smi-spec.io"):
                told[_key(one.object)] = Told()
        for finding in findings:
            for subject in _about(finding.subject):
                if (row := told.get(subject)) is not None:
                    row.take(finding)
        for key, wanted in made.wanted.items():
            for subject in (about for text in wanted.subjects for about in _about(text)):
                if (row := told.get(subject)) is None:
                    continue
                row.objects += 1
                if (why := made.hindered.get(key)) or (why := failed.get(key)):
                    row.hindered.append(why)
        self._write(told, seen)

    def corrected(self, reading: Reading, wanted: Wanted) -> None:
        """Somebody had changed an object of ours."""
        for text in wanted.subjects:
            subject = subject_name(text)
            about = reading.sources.get(subject) if subject else None
            if about is not None:
                said = f"{wanted.name} had been changed and is again as this resource says: change the resource instead"
                self._writer.event(about, "Normal", "DriftCorrected", said)

    def _write(self, told: Mapping[tuple[str, str, str], Told], seen: Mapping[Key, Seen]) -> None:
        rows: list[tuple[KubeObject, list[dict[str, Any]]]] = []
        for one in seen.values():
            about = told.get(_key(one.object))
            if about is None or not one.object.group.endswith("smi-spec.io"):
                continue
            whole = one.object.kind in _PROGRAMMED
            now = [row for row in conditions(about, self._mesh) if whole or row["type"] in _READ]
            generation = one.object.metadata.get("generation")
            changed = merged(one.conditions, now, generation if isinstance(generation, int) else 1)
            if changed is not None:
                rows.append((one.object, changed))
            self._events(one, now)
        self._writer.conditions(rows)

    def _events(self, one: Seen, now: list[dict[str, str]]) -> None:
        """An Event for each condition that turned to or from what is not well; none for what is well from the start."""
        uid = str(one.object.metadata.get("uid"))
        before = self._said.get(uid)
        if before is None:
            # After a restart the conditions on the object say what was told.
            before = {str(row.get("type")): (str(row.get("status")), str(row.get("message"))) for row in one.conditions}
        for row in now:
            last, state = before.get(row["type"]), (row["status"], row["message"])
            if row["status"] == _BAD[row["type"]]:
                if last != state:
                    self._writer.event(one.object, "Warning", row["reason"], row["message"])
            elif last is not None and last[0] == _BAD[row["type"]]:
                self._writer.event(one.object, "Normal", row["reason"], row["message"])
        self._said[uid] = {row["type"]: (row["status"], row["message"]) for row in now}


# Routes and identities make no objects of their own.
_READ = frozenset(("Accepted",))


def _key(one: KubeObject) -> tuple[str, str, str]:
    return one.kind, one.namespace, one.name


def _about(text: str) -> Iterable[tuple[str, str, str]]:
    for part in subjects_of(text):
        subject = subject_name(part)
        if subject:
            yield subject[0], subject[1].namespace, subject[1].name
