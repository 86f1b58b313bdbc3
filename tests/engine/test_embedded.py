"""The embedded engine: parameters, budgets, cancellation, one process a directory."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.engine import (
    Budget,
    BudgetExceededError,
    CancelledError,
    Engine,
    QueryError,
    open_engine,
)
from tests.thorough import THOROUGH, part_of

_SETTINGS = settings(
    max_examples=part_of(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@given(text=st.text(st.characters(codec="utf-8")), texts=st.lists(st.text(st.characters(codec="utf-8"))))
def test_text_parameters_arrive_as_they_are(engine: Engine, text: str, texts: list[str]) -> None:
    table = engine.query("SELECT {a:String} AS a, {b:Array(String)} AS b", {"a": text, "b": texts})
    assert table.to_pylist() == [{"a": text, "b": texts}]


def test_other_parameters(engine: Engine) -> None:
    table = engine.query(
        "SELECT {i:Int64} AS i, {f:Float64} AS f, {n:Nullable(String)} AS n, {l:Array(UInt64)} AS l",
        {"i": -5, "f": 0.25, "n": None, "l": [1, 2**64 - 1]},
    )
    assert table.to_pylist() == [{"i": -5, "f": 0.25, "n": None, "l": [1, 2**64 - 1]}]


def test_a_budget_of_time_and_memory_holds(engine: Engine) -> None:
    with pytest.raises(BudgetExceededError, match="Timeout"):
        engine.query("SELECT sum(cityHash64(number)) FROM numbers(1e12)", budget=Budget(seconds=0.2))
    with pytest.raises(BudgetExceededError, match="memory"):
        engine.query("SELECT groupArray(number) FROM numbers(1e8)", budget=Budget(memory_bytes=20_000_000))


def test_a_query_can_be_cancelled_by_its_name(engine: Engine) -> None:
    failed: list[Exception] = []

    def ask() -> None:
        try:
            engine.query("SELECT sum(cityHash64(number)) FROM numbers(1e13)", budget=Budget(60, name="mine"))
        except CancelledError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline:
        engine.cancel("mine")
        thread.join(0.1)
    assert len(failed) == 1


def test_queries_run_beside_each_other(engine: Engine) -> None:
    """A long stream that is not read to its end holds up nobody else."""
    stream = engine.stream("SELECT number FROM numbers(10000000)")
    next(iter(stream))
    assert engine.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    stream.close()  # type: ignore[attr-defined]
    assert sum(batch.num_rows for batch in engine.stream("SELECT number FROM numbers(300000)")) == 300_000


def test_a_wrong_statement_says_what_is_wrong(engine: Engine) -> None:
    with pytest.raises(QueryError, match="nowhere") as caught:
        engine.query("SELECT * FROM nowhere")
    assert caught.value.code == 60
    assert "version" not in str(caught.value)


def test_a_second_process_is_told_in_one_sentence(engine: Engine) -> None:
    program = (
        "import sys; from pilothouse.engine import *\n"
        "try: open_engine(sys.argv[1])\n"
        "except EngineBusyError as error: print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(engine.directory)], capture_output=True, text=True, timeout=60
    )
    assert answer.stdout.strip().endswith("stop it, or choose another --data"), answer.stderr


@pytest.mark.parametrize("broken", ["a file", "its metadata"])
def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path, broken: str) -> None:
    """In a process of its own: after a failed start chDB opens no other directory."""
    store = tmp_path / "store"
    if broken == "a file":
        store.write_text("no directory")
    else:
        (store / "metadata").mkdir(parents=True)
        (store / "metadata" / "system.sql").write_text("broken")
    script = (
        "import sys; from pathlib import Path; from pilothouse.engine import EngineError, open_engine\n"
        "try: open_engine(Path(sys.argv[1]))\n"
        "except EngineError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(store)], capture_output=True, text=True, check=True)
    said = "is not a directory" if broken == "a file" else "cannot be opened"
    assert str(store) in done.stdout
    assert said in done.stdout


def test_the_store_is_there_again_after_closing(tmp_path: Path) -> None:
    first = open_engine(tmp_path / "store")
    first.command("INSERT INTO logs (identity, time, body) VALUES (1, now64(9), 'kept')")
    first.close()
    second = open_engine(tmp_path / "store")
    assert second.query("SELECT body FROM logs").to_pylist() == [{"body": "kept"}]
    second.close()


def test_after_a_cancelled_query_every_answer_is_that_of_its_own_question(engine: Engine) -> None:
    """Cancelled at any moment, from before it runs until it is answered, beside streams that are given up."""
    engine.command("CREATE TABLE numbered (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    engine.command("INSERT INTO numbered SELECT number, repeat('x', 60) FROM numbers(150000)")
    over, wrong = threading.Event(), []

    def cancel() -> None:
        while not over.wait(0.01):
            for name in ("asked0", "asked1", "asked2"):
                engine.cancel(name)

    def ask(who: int) -> None:
        for turn in range(6 if THOROUGH else 3):
            column, rows = f"c{who}_{turn}", 50 + turn
            sql = f"SELECT a % {rows} AS {column}, sum(length(s)) AS bytes FROM numbered GROUP BY {column}"
            given_up = engine.stream("SELECT a, s FROM numbered")
            next(given_up)
            given_up.close()  # type: ignore[attr-defined]
            try:
                engine.query(sql, budget=Budget(name=f"asked{who}"))
            except (CancelledError, QueryError):
                pass
            table = engine.query(sql)
            if (table.column_names, table.num_rows) != ([column, "bytes"], rows):
                wrong.append((column, table.column_names, table.num_rows))

    cancelling = threading.Thread(target=cancel)
    asking = [threading.Thread(target=ask, args=(who,)) for who in range(3)]
    for thread in [cancelling, *asking]:
        thread.start()
    for thread in asking:
        thread.join()
    over.set()
    cancelling.join()
    assert wrong == []
