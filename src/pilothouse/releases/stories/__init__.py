"""Findings of one cause, put together: one story each, with its causes ranked, and what changed around it.

`linking` says which findings belong together and why; `associating` and `unfolding` ask the store for the proof (which
requests logged the line, in which spans the function ran, where in the tree the time went); `surroundings` finds what
changed upstream and downstream; `telling` makes stories of it.
"""

from pilothouse.releases.stories.story import Cause, Change, Story
from pilothouse.releases.stories.surroundings import changes
from pilothouse.releases.stories.telling import tell

__all__ = ["Cause", "Change", "Story", "changes", "tell"]
