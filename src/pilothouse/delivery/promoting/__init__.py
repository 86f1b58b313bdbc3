"""A version on its way through the environments, each step a pull request.

A promotion (`promotion`, kept by `store`) is asked for (`asking`), opened as a pull request whose text has the intent,
the rendered difference and the hazards (`opening`, `wording`), and moved on by `advancing`: merged when its
environment's strategy allows (`weighing`), given its traffic by a rollout where the environment has a plan
(`shipping`), and taken back by another pull request when the verdict is bad. `driving` is the thread that moves all.
"""
