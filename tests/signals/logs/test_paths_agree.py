"""The engine and the slow path give the same on lines and queries that nobody chose."""

from __future__ import annotations

import json
import os
import random

import numpy as np
import pytest

from pilothouse.engine import Engine
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.logs.answering import numbers
from pilothouse.signals.logs.compiling import compiled_stages
from pilothouse.signals.logs.logql import parse, tree
from pilothouse.signals.logs.pipeline import Pipeline
from pilothouse.signals.logs.reading import COLUMNS, entries, within_sql
from pilothouse.signals.logs.streams import streams
from pilothouse.signals.logs.vectors import Steps
from pilothouse.signals.timerange import TimeRange
from tests.logqltest.filling import fill
from tests.logqltest.reading import Line

ZERO = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
THOROUGH = bool(os.environ.get("PILOTHOUSE_THOROUGH"))
QUESTIONS = 3000 if THOROUGH else 30
_WORDS = (
    "error",
    "timeout",
    "status",
    "GET",
    "level",
    "ok",
    "Ünï",
    "k\u212aelvin",
    "5xx",
    "",
    "a.b",
    '"',
    "\\",
    "=",
    "\t",
)


def _json_line(chosen: random.Random) -> str:
    document = {}
    for key in chosen.sample(["status", "ms", "level", "a_b", "a.b", "a", "pod", "x y", "num"], 4):
        document[key] = chosen.choice(
            [
                200,
                500,
                1.5,
                -3,
                1e3,
                True,
                None,
                "text",
                "10ms",
                'q"uote',
                "5KB",
                "",
                [1],
                {"b": chosen.choice([1, "two", {"c": 3}])},
            ]
        )
    text = json.dumps(document, ensure_ascii=chosen.random() < 0.5)
    return text if chosen.random() < 0.9 else text[: chosen.randrange(len(text))]


def _logfmt_line(chosen: random.Random) -> str:
    pairs = []
    for key in chosen.sample(["status", "ms", "level", "a_b", "a.b", "pod", "alone", "method"], 4):
        value = chosen.choice(["200", "500", "1.5", "10ms", '"two words"', '"q\\"x"', "", "x=y", 'b"d', "GET", "inf"])
        pairs.append(key if key == "alone" else f"{key}={value}")
    return " ".join(pairs)


def _plain_line(chosen: random.Random) -> str:
    return " ".join(chosen.choice(_WORDS) for _ in range(chosen.randrange(1, 8)))


def _lines(chosen: random.Random, count: int) -> list[Line]:
    made = []
    for _ in range(count):
        stream = {"app": chosen.choice("ab"), "pod": chosen.choice(["p1", "p2"])}
        metadata = {"user": chosen.choice(["u1", "u2"])} if chosen.random() < 0.3 else {}
        if chosen.random() < 0.1:
            metadata["status"] = "from metadata"
        text = chosen.choice([_json_line, _logfmt_line, _plain_line])(chosen)
        made.append(Line(chosen.randrange(600) * SECOND, stream, metadata, text))
    return made


def _stage(chosen: random.Random) -> str:
    word = json.dumps(chosen.choice(_WORDS), ensure_ascii=False)
    return chosen.choice(
        [
            f"|= {word}", f"!= {word}", '|= "status" or "error"', '!= "a" or "GET"', "|~ `(?i)kelvin`", "|~ `(?i)GET`",
            "|~ `err.r`", "!~ `[0-9]{3}`", "|~ `st[a-z]+s.*500`", "|~ `^\\{`", "|~ `a.b|c`", "|> `<_>status<_>`", "!> `<_>=<_>`",  # noqa: E501
            "| json", "| logfmt", "| logfmt --keep-empty", "| json a_b, st=`status`", "| regexp `(?P<first>\\w+)=(?P<second>\\S*)`",  # noqa: E501
            "| pattern `<head> <_>=<tail>`", '| status="200"', '| status!="200"', "| status>=300", "| status<300", "| ms>1",  # noqa: E501
            "| ms>5ms", '| a_b="1"', '| a_b!=""', '| pod="p1"', '| pod_extracted!=""', '| user=~"u."', '| level=~"t.*|"',  # noqa: E501
            '| __error__=""', '| __error__!=""', "| drop __error__ |= ``", "| drop status |= ``", "| keep pod, status |= ``", '| ms>1 or status="500"',  # noqa: E501
            '| ms>1 and status!="x"', "| label_format code=status", "| decolorize",
        ]
    )  # fmt: skip


def _query(chosen: random.Random) -> str:
    stages = " ".join(_stage(chosen) for _ in range(chosen.randrange(0, 5)))
    return f'{{app=~"{chosen.choice(["a", "b", "a|b", ".+"])}"}} {stages}'


def _metric(chosen: random.Random) -> str:
    span = chosen.choice(["30s", "1m", "7m"])
    by = chosen.choice(["status", "pod", "app, user", "a_b", "level, status", "head", "code", ""])
    if chosen.random() < 0.5:
        name = chosen.choice(["count_over_time", "rate", "bytes_over_time"])
        return f"sum by ({by}) ({name}({_query(chosen)} [{span}]))"
    name = chosen.choice(["avg", "min", "max", "stddev", "first", "last"])
    label = chosen.choice(["ms", "status", "a_b", "duration(ms)"])
    return f"{name}_over_time({_query(chosen)} | unwrap {label} | __error__=`` [{span}]) by ({by})"


@pytest.fixture(scope="module")
def filled(files_engine: Engine) -> Engine:
    # The slow path reads each line in Python, for each question.
    fill(files_engine, _lines(random.Random(7), 1500 if THOROUGH else 500), ZERO)
    return files_engine


def test_the_engine_never_leaves_out_a_line_that_belongs(filled: Engine) -> None:
    """Where SQL claims to be exact it also keeps no line too many."""
    chosen, within = random.Random(1), TimeRange(ZERO, ZERO + 600 * SECOND)
    exact = 0
    for _ in range(QUESTIONS):
        query = parse(_query(chosen))
        assert isinstance(query, tree.LogQuery)
        found = streams(filled, query.matchers, within)
        pipeline = Pipeline(query.stages)
        parameters: dict[str, object] = {}
        where = " AND ".join(within_sql(parameters, found, within))
        every = filled.query(f"SELECT {COLUMNS} FROM logs WHERE {where}", parameters)
        wanted = _shown(entry for entry in entries(every, found) if pipeline.run(entry))
        scope = compiled_stages(found, query.stages)
        parameters |= scope.parameters
        where = " AND ".join([where, *scope.where()])
        rows = filled.query(f"{scope.with_clause()}SELECT {COLUMNS} FROM logs WHERE {where}", parameters)
        got = _shown(entry for entry in entries(rows, found) if pipeline.run(entry))
        assert got == wanted, query
        if scope.exact and not scope.doubts:
            exact += 1
            assert rows.num_rows == len(wanted), query
    assert exact > QUESTIONS // 5


def test_numbers_are_the_same_on_both_paths(filled: Engine) -> None:
    chosen = random.Random(2)
    steps = Steps(ZERO + 60 * SECOND, ZERO + 600 * SECOND, 90 * SECOND)
    answered = 0
    for _ in range(QUESTIONS):
        text = _metric(chosen)
        query = parse(text)
        assert not isinstance(query, tree.LogQuery)
        fast, slow = (_answer(filled, query, steps, way) for way in (False, True))
        if "first_over_time" in text or "last_over_time" in text:
            # Of lines at the same time either may be the first: only the series are the same.
            fast, slow = (dict.fromkeys(one) if isinstance(one, dict) else one for one in (fast, slow))
        if isinstance(fast, dict) and isinstance(slow, dict):
            assert fast.keys() == slow.keys(), text
            for labels, values in fast.items():
                if values is not None:
                    np.testing.assert_allclose(values, slow[labels], rtol=1e-9, atol=1e-9, err_msg=text)
            answered += bool(fast)
        else:
            assert type(fast) is type(slow), (text, fast, slow)
    assert answered > QUESTIONS // 5


def _answer(engine: Engine, query: tree.Metric, steps: Steps, slow: bool):  # type: ignore[no-untyped-def]
    try:
        value = numbers(engine, query, steps, slow=slow).value
    except BadRequestError as error:
        return str(error)
    assert isinstance(value, list)
    return {one.labels: np.where(one.present, one.values, -12345.0) for one in value}


def _shown(found):  # type: ignore[no-untyped-def]
    return sorted((entry.time, entry.line, sorted(entry.labels().items())) for entry in found)
