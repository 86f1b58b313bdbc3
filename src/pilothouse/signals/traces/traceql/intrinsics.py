"""The intrinsic fields: how they may be written, and what they are."""

from pilothouse.signals.traces.traceql.tree import Type

TYPES = {
    "span:duration": Type.DURATION,
    "span:name": Type.STRING,
    "span:status": Type.STATUS,
    "span:statusMessage": Type.STRING,
    "span:kind": Type.KIND,
    "span:id": Type.STRING,
    "span:parentID": Type.STRING,
    "span:childCount": Type.INT,
    "span:parent": Type.NIL,
    "span:nestedSetLeft": Type.INT,
    "span:nestedSetRight": Type.INT,
    "span:nestedSetParent": Type.INT,
    "trace:duration": Type.DURATION,
    "trace:rootName": Type.STRING,
    "trace:rootService": Type.STRING,
    "trace:id": Type.STRING,
    "event:name": Type.STRING,
    "event:timeSinceStart": Type.DURATION,
    "link:traceID": Type.STRING,
    "link:spanID": Type.STRING,
    "instrumentation:name": Type.STRING,
    "instrumentation:version": Type.STRING,
}
# What may be written without a scope.
UNSCOPED = {
    "duration": "span:duration",
    "name": "span:name",
    "status": "span:status",
    "statusMessage": "span:statusMessage",
    "kind": "span:kind",
    "childCount": "span:childCount",
    "parent": "span:parent",
    "rootName": "trace:rootName",
    "rootServiceName": "trace:rootService",
    "traceDuration": "trace:duration",
    "nestedSetLeft": "span:nestedSetLeft",
    "nestedSetRight": "span:nestedSetRight",
    "nestedSetParent": "span:nestedSetParent",
}
# Those that only have an unscoped name.
UNSCOPED_ONLY = frozenset({"span:parent", "span:nestedSetLeft", "span:nestedSetRight", "span:nestedSetParent"})
STATUSES = ("unset", "ok", "error")
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
