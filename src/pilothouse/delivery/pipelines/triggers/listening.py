"""An EventListener: each of its triggers looks at an event, and those that want it make runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pilothouse.delivery.pipelines import naming
from pilothouse.delivery.pipelines.catalog import Catalog
from pilothouse.delivery.pipelines.documents import Document
from pilothouse.delivery.pipelines.triggers import binding
from pilothouse.delivery.pipelines.triggers.event import Event, TriggerError
from pilothouse.delivery.pipelines.triggers.interceptors import INTERCEPTORS, webhook


@dataclass(slots=True)
class Heard:
    """What became of an event: the objects to create, and for each trigger that did not want it, why."""

    identity: str
    objects: list[Document] = field(default_factory=list)
    declined: dict[str, str] = field(default_factory=dict)
    refused: bool = False


async def hear(name: str, event: Event, catalog: Catalog) -> Heard:
    """Show an event to an EventListener. Raises `TriggerError` (404) where there is none of that name."""
    listener = catalog.find("EventListener", name)
    if listener is None:
        known = ", ".join(catalog.names("EventListener")) or "none"
        raise TriggerError(f"there is no EventListener {name!r}; there are: {known}", 404)
    event.identity = event.identity or naming.uid()
    heard = Heard(event.identity)
    triggers = _triggers(listener["spec"], catalog)
    for trigger in triggers:
        title = str(trigger.get("name") or "trigger")
        own = Event(event.raw, event.headers, event.url, event.body, {}, event.identity)
        try:
            await _intercept(trigger.get("interceptors") or [], own, catalog)
            labels = {
                "triggers.tekton.dev/eventlistener": name, "triggers.tekton.dev/trigger": title,
                "triggers.tekton.dev/triggers-eventid": event.identity,
            }  # fmt: skip
            for body in _objects(trigger, own, catalog, labels):
                heard.objects.append(Document(body, f"EventListener {name}"))
        except TriggerError as error:
            heard.declined[title] = str(error)
            heard.refused = heard.refused or error.status == 403
    return heard


def _triggers(spec: dict[str, Any], catalog: Catalog) -> list[dict[str, Any]]:
    found = []
    for one in spec.get("triggers") or []:
        if one.get("triggerRef"):
            body = catalog.find("Trigger", one["triggerRef"])
            found.append({"name": one["triggerRef"], **((body or {}).get("spec") or {})})
        else:
            found.append(one)
    for group in spec.get("triggerGroups") or []:
        wanted = ((group.get("triggerSelector") or {}).get("labelSelector") or {}).get("matchLabels") or {}
        for document in catalog.documents("Trigger"):
            labels = (document.body.get("metadata") or {}).get("labels") or {}
            if all(labels.get(key) == value for key, value in wanted.items()):
                trigger = document.body.get("spec") or {}
                both = [*(group.get("interceptors") or []), *(trigger.get("interceptors") or [])]
                found.append({"name": document.name, **trigger, "interceptors": both})
    return found


async def _intercept(found: list[dict[str, Any]], event: Event, catalog: Catalog) -> None:
    for one in found:
        ref = one.get("ref") or {}
        name = str(ref.get("name") or next((key for key in INTERCEPTORS if key in one), ""))
        given = {param["name"]: param.get("value") for param in one.get("params") or []} or one.get(name) or {}
        if name in INTERCEPTORS:
            INTERCEPTORS[name](given, event, catalog)
            continue
        body = catalog.find(str(ref.get("kind") or "ClusterInterceptor"), name)
        if body is None:
            raise TriggerError(f"there is no interceptor {name!r}; there are: {', '.join(INTERCEPTORS)}", 500)
        await webhook(body.get("spec") or {}, event)


def _objects(trigger: dict[str, Any], event: Event, catalog: Catalog, labels: dict[str, str]) -> list[dict[str, Any]]:
    given: dict[str, str] = {}
    for one in trigger.get("bindings") or []:
        if one.get("ref"):
            kind = str(one.get("kind") or "TriggerBinding")
            body = catalog.find(kind, one["ref"])
            if body is None:
                raise TriggerError(f"there is no {kind} {one['ref']!r}", 500)
            given |= binding.params((body.get("spec") or {}).get("params") or [], event)
        else:
            given |= binding.params([one], event)
    template = trigger.get("template") or {}
    spec = template.get("spec")
    if spec is None:
        body = catalog.find("TriggerTemplate", str(template.get("ref", "")))
        if body is None:
            raise TriggerError(f"there is no TriggerTemplate {template.get('ref')!r}", 500)
        spec = body.get("spec") or {}
    return binding.resources(spec, given, labels)
