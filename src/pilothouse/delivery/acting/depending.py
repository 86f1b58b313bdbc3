"""`Depends-On:` in a pull request's text: the merge pool holds it until what it depends on is merged.

    Depends-On: #7
    Depends-On: acme/library#12
    Depends-On: https://github.com/acme/library/pull/12

Source: Zuul's documentation, "Cross-Project Testing" (https://zuul-ci.org/docs/zuul/latest/gating.html). As there, it
is a line of its own, and there may be several. What is named must be on the same forge.
"""

from __future__ import annotations

import re

from pilothouse.delivery.forges import Forge, ForgeError, MissingError, PullRequest, UnavailableError

_LINE = re.compile(r"(?im)^depends-on:[ \t]*(\S+)[ \t]*\r?$")
_SHORT = re.compile(r"(?:([\w.-]+(?:/[\w.-]+)+))?[#!](\d{1,9})")
_ADDRESS = re.compile(r"https?://\S+?/([\w.-]+(?:/[\w.-]+)+?)(?:/-)?/(?:pull|pulls|merge_requests)/(\d{1,9})/?")
_MOST = 20


def named(text: str, repository: str) -> list[tuple[str, int, str]]:
    """What a text depends on: repository, number, and the address that it was named by (empty: none); number 0 for a
    line that names no pull request.
    """
    found: dict[tuple[str, int], str] = {}
    for line in _LINE.finditer(text[:65_536]):
        word = line[1]
        if short := _SHORT.fullmatch(word):
            found.setdefault((short[1] or repository, int(short[2])), "")
        elif address := _ADDRESS.fullmatch(word):
            found.setdefault((address[1], int(address[2])), word)
        else:
            found.setdefault((word[:200], 0), "")
    return [(where, number, address) for (where, number), address in found.items()][:_MOST]


def waits_for(forge: Forge, raw: PullRequest) -> tuple[str, ...]:
    """Why it must wait for others, a sentence each; empty when all that it depends on is merged.

    Raises `UnavailableError` when the forge does not answer.
    """
    return tuple(
        reason for where, number, address in named(raw.body, raw.repository)
        if (reason := _why(forge, raw, where, number, address))
    )  # fmt: skip


def mentions(reasons: tuple[str, ...], repository: str, number: int) -> bool:
    """Whether one of the reasons is that it waits for this pull request."""
    return any(one.startswith(f"it depends on {repository}#{number}, ") for one in reasons)


def _why(forge: Forge, raw: PullRequest, where: str, number: int, address: str) -> str:
    if not number:
        return f"its line Depends-On: {where} names no pull request; write OWNER/NAME#7 or its address"
    what = f"{where}#{number}"
    if (where, number) == (raw.repository, raw.number):
        return f"it depends on {what}, which is itself"
    try:
        # A stranger must not learn how things stand where he may not look.
        if where != raw.repository and forge.permission(where, raw.author) == "none":
            raise MissingError(what)
        other = forge.pull_request(where, number)
    except UnavailableError:
        raise
    except ForgeError:
        return f"it depends on {what}, which is not on {forge.name}"
    if address and other.url and _host(address) != _host(other.url):
        return f"it depends on {address}, which is on another forge than {forge.name}"
    return "" if other.state == "merged" else f"it depends on {what}, which is {other.state}"


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].lower()
