"""What rules speak about: the parts of objects with Kubernetes' defaults filled in and quantities as numbers.

A rule says `container.limits.cpu < 0.5` and not how to find, parse and default that. All numbers are doubles, and every
name is always there; `docs/reference/hazard-facts.md` lists them.
"""
