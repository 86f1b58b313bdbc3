"""Chat commands on pull requests, with Prow's meaning: from an event and a state to what is to be done, and why."""

from pilothouse.delivery.chat.deciding import Decision, decide
from pilothouse.delivery.chat.effects import Effect
from pilothouse.delivery.chat.model import Event, Job, Policy, PullRequest
from pilothouse.delivery.forges.model import Comment, Review

__all__ = ["Comment", "Decision", "Effect", "Event", "Job", "Policy", "PullRequest", "Review", "decide"]
