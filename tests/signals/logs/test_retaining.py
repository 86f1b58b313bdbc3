"""Retention by selector: what is over its time is gone, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.engine import Engine
from pilothouse.server.config import ConfigError, load
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.retaining import keep, rules_of
from tests.logqltest.filling import fill
from tests.logqltest.reading import Line
from tests.logqltest.running import ZERO

HOUR = 3600 * 10**9


def _bodies(engine: Engine) -> list[str]:
    return sorted(row["body"] for row in engine.query("SELECT body FROM logs").to_pylist())


def test_each_rule_is_held_to(engine: Engine) -> None:
    lines = [
        Line(hours * HOUR, {"namespace": namespace}, {}, f"{namespace} {hours} {text}")
        for namespace in ("dev", "shop")
        for hours in (0, 5, 9)
        for text in ("GET /healthz", "order")
    ]
    fill(engine, lines, ZERO)
    rules = rules_of({'{namespace="dev"}': "3h", '{namespace="shop"} |= "healthz"': "6h"})
    assert keep(engine, rules, ZERO + 10 * HOUR) == 2
    kept = [
        "dev 9 GET /healthz", "dev 9 order", "shop 0 order", "shop 5 GET /healthz", "shop 5 order",
        "shop 9 GET /healthz", "shop 9 order",
    ]  # fmt: skip
    assert _bodies(engine) == kept
    keep(engine, rules, ZERO + 10 * HOUR)
    assert _bodies(engine) == kept


def test_without_such_lines_nothing_is_rewritten(engine: Engine) -> None:
    fill(engine, [Line(0, {"namespace": "shop"}, {}, "x")], ZERO)
    before = engine.query("SELECT name FROM system.parts WHERE table = 'logs' AND active").to_pylist()
    assert keep(engine, rules_of({'{namespace="dev"}': "1h"}), ZERO + 10 * HOUR) == 0
    assert engine.query("SELECT name FROM system.parts WHERE table = 'logs' AND active").to_pylist() == before


def test_rules_come_from_the_file_and_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "pilothouse.toml"
    file.write_text("""[log_retention]\n'{namespace="dev"}' = "3d"\n""")
    assert load({}, file, {}).config.log_retention == {'{namespace="dev"}': "3d"}
    environment = {"PILOTHOUSE_LOG_RETENTION": """{namespace="dev"}=3d; {app="x"} |= "a=b"=1h"""}
    assert load({}, None, environment).config.log_retention == {'{namespace="dev"}': "3d", '{app="x"} |= "a=b"': "1h"}


@pytest.mark.parametrize(("query", "kept"), [('{namespace="dev"', "3d"), ('{namespace="dev"}', "soon"), ("", "1d")])
def test_a_wrong_rule_is_named(query: str, kept: str) -> None:
    with pytest.raises(BadRequestError):
        rules_of({query: kept})
    with pytest.raises(ConfigError, match="log_retention"):
        load({}, None, {"PILOTHOUSE_LOG_RETENTION": f"{query}={kept}"})
