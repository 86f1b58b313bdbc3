"""Profiles: what every function costs, by release, time and label.

A profile comes in as stacks with values (`model`), goes through the journal as packed arrays (`segment`),
becomes rows (`storing`) and is asked about (`asking`, `top`, `tree`, `diffing`). The formats it may come in
are `receive`'s.
"""
