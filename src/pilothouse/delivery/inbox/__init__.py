"""The inbox of what happened on forges: kept, each worked on once, in order for one pull request.

An event that was put in is on the disk. It is known by its forge's delivery id and by the bytes it came as, so that
neither a repeated nor a replayed delivery counts twice. One that cannot be worked off is tried again with growing
pauses and then set aside with the reason; the events of other pull requests never wait for it.
"""

from pilothouse.delivery.inbox.consuming import SetAsideError, work
from pilothouse.delivery.inbox.inbox import Inbox, InboxError, Taken, lane
from pilothouse.delivery.inbox.limits import Limits
from pilothouse.delivery.inbox.record import STATES, Kept, State

__all__ = ["STATES", "Inbox", "InboxError", "Kept", "Limits", "SetAsideError", "State", "Taken", "lane", "work"]
