"""Rule files as Prometheus reads them.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pilothouse.signals.metrics.configuring import Milliseconds, checked, read_yaml
from pilothouse.signals.metrics.errors import ConfigurationError
from pilothouse.signals.metrics.promql.errors import ParseError
from pilothouse.signals.metrics.promql.matcher import NAME
from pilothouse.signals.metrics.promql.nodes import value_type
from pilothouse.signals.metrics.promql.parser import parse
from pilothouse.signals.metrics.rules.template_parsing import TemplateError
from pilothouse.signals.metrics.rules.template_parsing import parse as parse_template

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Rule(BaseModel):
    """One rule, of the one kind or the other. Times in milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    record: str = ""
    alert: str = ""
    expr: str = ""
    for_: Milliseconds = Field(0, alias="for")
    keep_firing_for: Milliseconds = 0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.record or self.alert

    @model_validator(mode="after")
    def _sound(self) -> Rule:
        if bool(self.record) == bool(self.alert):
            raise ValueError("only one of 'record' and 'alert' must be set" if self.record else
                             "one of 'record' or 'alert' must be set")  # fmt: skip
        if not self.expr.strip():
            raise ValueError("field 'expr' must be set in rule")
        try:
            kind = value_type(parse(self.expr))
        except ParseError as error:
            raise ValueError(f"could not parse expression: {error}") from None
        if kind not in ("vector", "scalar"):
            raise ValueError(f"an expression of type {kind} cannot be a rule")
        if self.record:
            self._check_record()
        self._check_texts()
        return self

    def _check_record(self) -> None:
        for name in ("annotations", "for_", "keep_firing_for"):
            if getattr(self, name):
                raise ValueError(f"invalid field '{name.strip('_')}' in recording rule")
        if "{" in self.record or "}" in self.record or any(char.isspace() for char in self.record):
            raise ValueError(f"invalid recording rule name: {self.record}")

    def _check_texts(self) -> None:
        for name in self.labels:
            if not name or name == NAME:
                raise ValueError(f"invalid label name: {name}")
        for name in self.annotations:
            if not _LABEL.fullmatch(name):
                raise ValueError(f"invalid annotation name: {name}")
        if self.alert:
            for name, text in [*self.labels.items(), *self.annotations.items()]:
                try:
                    parse_template(text)
                except (TemplateError, ValueError) as error:
                    raise ValueError(f"{name}: template: {error}") from None


class RuleGroup(BaseModel):
    """Rules that are evaluated one after the other. `interval` 0 means the global one."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: str = Field(min_length=1)
    interval: Milliseconds = 0
    query_offset: Milliseconds | None = None
    limit: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    rules: list[Rule] = Field(default_factory=list)
    partial_response_strategy: str = ""


class RuleFile(BaseModel):
    """A file of groups."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: list[RuleGroup] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_differ(self) -> RuleFile:
        names = [group.name for group in self.groups]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'groupname: "{name}" is repeated in the same file')
        return self


def read_rules(path: Path) -> RuleFile:
    """Raises `ConfigurationError` that names file and place."""
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: not a rule file: it has a list `groups`")
    return checked(RuleFile, content, path)
