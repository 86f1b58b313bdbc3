"""What is told on the resources: conditions, and an Event whenever one of them turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilothouse.kube.objects import KubeObject
from pilothouse.mesh.controlling.conditions import Told, conditions, merged
from pilothouse.mesh.controlling.kinds import ACCESS, SPECS, SPLIT
from pilothouse.mesh.controlling.planning import Plan, Wanted, subject_name, subjects_of
from pilothouse.mesh.controlling.remembering import Memory
from pilothouse.mesh.controlling.watching import Key, Seen
from pilothouse.mesh.controlling.writing import Writer
from pilothouse.mesh.findings import Finding
from pilothouse.mesh.reading import Reading

Subject = tuple[str, str, str]
_GROUPS = frozenset((ACCESS, SPECS, SPLIT))
_PROGRAMMED = frozenset(("TrafficSplit", "TrafficTarget"))
_BAD = {"Accepted": "False", "ResolvedRefs": "False", "Programmed": "False", "FullyExpressed": "False"}


class Teller:
    """Writes conditions where they changed, and Events where a condition turned."""

    def __init__(self, writer: Writer, mesh: str) -> None:
        self._writer, self._mesh = writer, mesh
        # By uid and type of condition, what the last Event said.
        self._said: dict[tuple[str, str], tuple[str, str]] = {}
        # News whose Event was put off or refused: by then the condition on the object says it, and is no news any more.
        self._owed: set[tuple[str, str, str, str]] = set()

    def tell(
        self, reading: Reading, findings: Iterable[Finding], made: Plan, failed: Mapping[Key, str],
        seen: Mapping[Key, Seen], memory: Memory | None = None,
    ) -> None:  # fmt: skip
        """All resources of the interface among `seen`: also those that could not be read."""
        told = {key[1:]: Told() for key in seen if key[0] in _GROUPS}
        for finding in findings:
            for subject in _about(finding.subject):
                if (row := told.get(subject)) is not None:
                    row.take(finding)
        for key, wanted in made.wanted.items():
            for subject in wanted.about:
                if (row := told.get(subject)) is None:
                    continue
                row.objects += 1
                if (why := made.hindered.get(key)) or (why := failed.get(key)):
                    row.hindered.append(why)
        self._write(told, seen, memory or Memory())

    def corrected(self, reading: Reading, wanted: Wanted) -> None:
        """Somebody had changed an object of ours."""
        for text in wanted.subjects:
            subject = subject_name(text)
            about = reading.sources.get(subject) if subject else None
            if about is not None:
                said = f"{wanted.name} had been changed and is again as this resource says: change the resource instead"
                self._writer.event(about, "Normal", "DriftCorrected", said)

    def _write(self, told: Mapping[Subject, Told], seen: Mapping[Key, Seen], memory: Memory) -> None:
        rows: list[tuple[Seen, list[dict[str, Any]]]] = []
        events: list[tuple[KubeObject, dict[str, str]]] = []
        silent: dict[Key, tuple[Seen, Told]] = {}
        for key, one in seen.items():
            about = told.get(key[1:]) if key[0] in _GROUPS else None
            if about is None:
                continue
            if (before := memory.told.get(key)) and before[0] is one and before[1] == about:
                silent[key] = before
                continue
            whole = key[1] in _PROGRAMMED
            now = [row for row in conditions(about, self._mesh) if whole or row["type"] in _READ]
            generation = one.object.metadata.get("generation")
            changed = merged(one.conditions, now, generation if isinstance(generation, int) else 1)
            news = [row for row in now if _news(one.object, row) in self._owed or self._is_news(one, row)]
            if changed is not None:
                rows.append((one, changed))
            elif not news:
                silent[key] = (one, about)
            events += [(one.object, row) for row in news]
        memory.told = silent
        # What turned again meanwhile is owed no longer; what is owed to others still is.
        uids = {str(one.object.metadata.get("uid")) for one in seen.values()} if self._owed else set()
        self._owed = {owed for owed in self._owed if owed[0] not in uids} | {_news(*event) for event in events}
        self._writer.conditions(rows)
        self._writer.each(self._event, events)

    def _is_news(self, one: Seen, row: Mapping[str, str]) -> bool:
        """Whether a condition turned to or from what is not well; what is well from the start is no news."""
        last = self._said.get((str(one.object.metadata.get("uid")), row["type"]))
        if last is None:
            # After a restart the conditions on the object say what was told.
            before = next((old for old in one.conditions if old.get("type") == row["type"]), None)
            last = (str(before.get("status")), str(before.get("message"))) if before else None
        if row["status"] == _BAD[row["type"]]:
            return last != (row["status"], row["message"])
        return last is not None and last[0] == _BAD[row["type"]]

    def _event(self, news: tuple[KubeObject, dict[str, str]]) -> None:
        about, row = news
        kind = "Warning" if row["status"] == _BAD[row["type"]] else "Normal"
        if self._writer.event(about, kind, row["reason"], row["message"]):
            self._said[str(about.metadata.get("uid")), row["type"]] = (row["status"], row["message"])
            self._owed.discard(_news(about, row))


# Routes and identities make no objects of their own.
_READ = frozenset(("Accepted",))


def _news(about: KubeObject, row: Mapping[str, str]) -> tuple[str, str, str, str]:
    return str(about.metadata.get("uid")), row["type"], row["status"], row["message"]


def _about(text: str) -> Iterable[Subject]:
    for part in subjects_of(text):
        subject = subject_name(part)
        if subject:
            yield subject[0], subject[1].namespace, subject[1].name
