"""An environment for each pull request, to be looked at before it is merged.

What a preview is (`preview`, kept by `store`) comes from the `preview` section of the repository's `.pilothouse.yaml`.
On one machine it is a process in a sandbox without any network (`sandboxed`), reached through a door in its wall
(`relaying`); on Kubernetes a namespace (`namespaced`). `serving` starts, watches and ends them, and tells the pull
request where it is, in one comment that is edited (`wording`).
"""
