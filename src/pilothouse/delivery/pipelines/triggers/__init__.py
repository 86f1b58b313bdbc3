"""Tekton Triggers: an event comes in over HTTP, interceptors look at it, bindings read it, templates become runs.

Source: `docs/` of tektoncd/triggers (v1beta1). The address of an EventListener is `/triggers/NAME`; it answers 202 with
an event id before the work is done, as Tekton's does.
"""
