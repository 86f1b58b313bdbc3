"""A new version takes over step by step, and is judged at each of them.

A plan (`plan`, read by `reading` from our own YAML, Flagger's Canary, Argo's Rollout or Kayenta's canary config) has
steps; a `run` is how far it is. `advancing` makes one move at a time, each written down before and after; `weighing`
says what follows from the judge and the checks; `acting` is what a person does; `driving` is the thread that moves all
of them. What shifts the traffic is an interface (`traffic`): the mesh, or an HTTP endpoint (`http_hook`).
"""
