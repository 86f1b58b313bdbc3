"""A server's route templates, and paths without one, as the regular expressions of an HTTPRouteGroup."""

from __future__ import annotations

import re

# {id}, {id:int}, {path*}; :id, :id?; <int:id>; [id], [...all]; *, **.
_PLACEHOLDER = re.compile(r"\{[^}]*\}|:[A-Za-z_]\w*[?+*]?|<[^>]*>|\[[^\]]*\]|\*\*?")
_WIDE = re.compile(r"\{[^}]*(\*|:path|:\.\*|:\.\+)\}|<path:[^>]*>|\[\.\.\.[^\]]*\]|:\w+[+*]|\{\.\.\.[^}]*\}|\*\*?")
_ID = re.compile(r"\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z0-9_-]*\d[A-Za-z0-9_-]{15,}")


def of_template(template: str) -> str:
    """`/orders/{id}` as `/orders/[^/]+$`: a placeholder is one segment, a wildcard what is left of the path."""
    made, at = "", 0
    for found in _PLACEHOLDER.finditer(template):
        made += re.escape(template[at : found.start()])
        made += ".*" if _WIDE.fullmatch(found[0]) else "[^/]+"
        at = found.end()
    made += re.escape(template[at:])
    return f"{made if made.startswith('/') else '/' + made}$"


def of_path(path: str) -> str:
    """A path that was asked for, with what looks like an id generalised: `/orders/4711` as `/orders/[^/]+$`."""
    parts = path.partition("?")[0].split("/")
    return "/".join("[^/]+" if _ID.fullmatch(part) else re.escape(part) for part in parts) + "$"


def route_regex(template: str, path: str) -> str:
    """The expression for a route; where the path that was seen lies outside of the template (a router that is mounted
    below a prefix tells only its own part), the path counts.
    """
    from pilothouse.mesh.regexes import path_matches

    if not template:
        return of_path(path or "/")
    made = of_template(template)
    return made if not path or path_matches(made, path.partition("?")[0]) else of_path(path)


def slug(method: str, regex: str) -> str:
    """A name for a match: `get-orders-id`."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", regex.replace("[^/]+", "id").replace(".*", "all").removesuffix("$"))
    return f"{method}-{words.strip('-') or 'root'}".lower()[:60].rstrip("-")
