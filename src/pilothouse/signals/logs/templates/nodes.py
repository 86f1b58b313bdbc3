"""What a template says, as a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Said as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.b`, or `$x.a.b` and `(...).a` with a base; a lone dot has no names."""

    names: tuple[str, ...]
    base: Any = None


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A string, number, bool or nil."""

    value: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A function with arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Misused:
    """What is no function, with arguments: that is told when it runs, as Go does."""

    operand: Any


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given the result of the one before as its last argument; `declares` names variables."""

    commands: tuple[Any, ...]
    declares: tuple[str, ...] = ()
    assigns: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """Its value is printed, unless it declares a variable."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`."""

    kind: str
    pipe: Pipe
    body: tuple[Any, ...]
    otherwise: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    kind: str
