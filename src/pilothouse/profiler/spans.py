"""Which span a thread is in: a span processor for the OpenTelemetry SDK that notes it where the sampler can read it."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

Labels = tuple[tuple[str, str], ...]


class SpanIds:
    """A span processor (`opentelemetry.sdk.trace.SpanProcessor`, which it need not import).

    A thread's spans are nested as a rule, and the innermost is what runs. Where they are not (an event loop that works
    on several requests at a time), nobody outside can know which one runs, and its samples have no span.
    """

    def __init__(self) -> None:
        self._open: dict[int, list[Any]] = {}
        self._of: dict[int, int] = {}
        self._labels: dict[int, Labels] = {}

    def labels_of(self, thread: int) -> Labels:
        """`span_id` and `trace_id` of what the thread does, or nothing."""
        return self._labels.get(thread, ())

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """A span began in this thread."""
        thread = threading.get_ident()
        self._of[span.context.span_id] = thread
        self._open.setdefault(thread, []).append(span)
        self._note(thread)

    def _on_ending(self, span: Any) -> None:
        """Nothing to do before it ends."""

    def on_end(self, span: Any) -> None:
        """A span ended, in whatever thread."""
        thread = self._of.pop(span.context.span_id, None)
        if thread is None:
            return
        self._open[thread] = [one for one in self._open[thread] if one.context.span_id != span.context.span_id]
        self._note(thread)

    def shutdown(self) -> None:
        """Forget all."""
        self._open.clear()
        self._labels.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return True

    def _note(self, thread: int) -> None:
        spans = self._open[thread]
        nested = all(
            inner.parent is not None and inner.parent.span_id == outer.context.span_id
            for outer, inner in pairwise(spans)
        )
        if spans and nested:
            context = spans[-1].context
            self._labels[thread] = (("span_id", f"{context.span_id:016x}"), ("trace_id", f"{context.trace_id:032x}"))
        else:
            self._labels.pop(thread, None)
        if not spans:
            del self._open[thread]
