"""Groups, rules and alerts as Prometheus' API tells them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pilothouse.signals.metrics.prometheus.asking import ApiError
from pilothouse.signals.metrics.promql.parser import parse
from pilothouse.signals.metrics.promql.printing import write
from pilothouse.signals.timerange import to_rfc3339

if TYPE_CHECKING:
    from pilothouse.signals.metrics.prometheus.asking import Parameters
    from pilothouse.signals.metrics.rules.alerting import Alert
    from pilothouse.signals.metrics.rules.evaluating import Group, RuleState

_NEVER = "0001-01-01T00:00:00Z"


def told_groups(groups: Sequence[Group], asked: Parameters) -> dict[str, Any]:
    """The content of `/rules`, for what is asked: `type`, `rule_name[]`, `rule_group[]`, `file[]`, `match[]`."""
    kind, names = asked.get("type"), asked.all("rule_name[]")
    wanted_groups, files = asked.all("rule_group[]"), asked.all("file[]")
    selectors = asked.matchers(needed=False)
    brief = asked.get("exclude_alerts").lower() in ("1", "t", "true")
    most, after = _page(asked)
    found = []
    for group in groups:
        if (wanted_groups and group.group.name not in wanted_groups) or (files and group.file not in files):
            continue
        rules = [
            _rule(state, brief)
            for state in group.rules
            if (not kind or (kind == "alert") == (state.alerting is not None))
            and (not names or state.rule.name in names)
            and _selected(group, state, selectors)
        ]
        if rules or not (kind or names or selectors):
            found.append(_group(group, rules))
    return _paged(found, most, after) if most else {"groups": found}


def _page(asked: Parameters) -> tuple[int, str]:
    """`group_limit` (0: all) and `group_next_token`. Raises `ApiError`."""
    limit, after = asked.get("group_limit"), asked.get("group_next_token")
    if after and not limit:
        message = "group_limit needs to be present in order to paginate over the groups"
        raise ApiError("bad_data", f'invalid parameter "group_next_token": {message}')
    if limit and not (limit.isdecimal() and int(limit[:18]) > 0):
        raise ApiError("bad_data", 'invalid parameter "group_limit": group_limit needs to be a valid number')
    return int(limit[:18] or 0), after


def _paged(groups: list[dict[str, Any]], most: int, after: str) -> dict[str, Any]:
    """So many groups from the one on that `after` names; the name of the next one, if there is one."""
    names = [hashlib.sha1(f"{one['file']};{one['name']}".encode(), usedforsecurity=False).hexdigest() for one in groups]
    if after and after not in names:
        message = f"invalid group_next_token {after!r}. were rule groups changed?"
        raise ApiError("bad_data", f'invalid parameter "group_next_token": {message}'.replace("'", '"'))
    place = names.index(after) if after else 0
    told: dict[str, Any] = {"groups": groups[place : place + most]}
    if place + most < len(groups):
        told["groupNextToken"] = names[place + most]
    return told


def _selected(group: Group, state: RuleState, selectors: Sequence[Any]) -> bool:
    labels = {**group.group.labels, **state.rule.labels}
    return not selectors or any(
        all(matcher.matches(labels.get(matcher.label, "")) for matcher in selector) for selector in selectors
    )


def _group(group: Group, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": group.group.name,
        "file": group.file,
        "rules": rules,
        "interval": _number(group.interval / 1000),
        "limit": group.group.limit,
        "evaluationTime": group.seconds,
        "lastEvaluation": _time(group.at),
    }


def _rule(state: RuleState, brief: bool) -> dict[str, Any]:
    rule = state.rule
    about: dict[str, Any] = {"name": rule.name, "query": write(parse(rule.expr))}
    if state.alerting is not None:
        about = {
            "state": state.alerting.state,
            **about,
            "duration": _number(rule.for_ / 1000),
            "keepFiringFor": _number(rule.keep_firing_for / 1000),
            "labels": {**state.alerting.group_labels, **rule.labels},
            "annotations": rule.annotations,
            "alerts": [] if brief else told_alerts([state]),
        }
    else:
        about["labels"] = rule.labels
    if state.error:
        about["lastError"] = state.error
    return {
        **about,
        "health": state.health,
        "evaluationTime": state.seconds,
        "lastEvaluation": _time(state.at),
        "type": "recording" if state.alerting is None else "alerting",
    }


def told_alerts(states: Sequence[RuleState]) -> list[dict[str, Any]]:
    """The alerts of rules that are pending or firing."""
    return [_alert(alert) for state in states if state.alerting is not None for alert in state.alerting.alerts]


def _alert(alert: Alert) -> dict[str, Any]:
    about: dict[str, Any] = {
        "labels": alert.labels.map,
        "annotations": alert.annotations,
        "state": alert.state,
        "activeAt": _time(alert.active_at),
    }
    if alert.keep_firing_since:
        about["keepFiringSince"] = _time(alert.keep_firing_since)
    return {**about, "value": _scientific(alert.value)}


def _time(seconds: float) -> str:
    return to_rfc3339(int(seconds * 1e9)) if seconds else _NEVER


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _scientific(value: float) -> str:
    """The shortest digits with an exponent (`strconv.FormatFloat(v, 'e', -1, 64)`)."""
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return next(text for text in (f"{value:.{places}e}" for places in range(18)) if float(text) == value)
