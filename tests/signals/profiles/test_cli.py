"""`pilothouse profiles` against a real server."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pilothouse.cli import profiles
from pilothouse.cli.flame import flame_lines
from tests.signals.profiles.building import SECOND, PprofBuilder
from tests.signals.profiles.serving import House
from tests.signals.profiles.test_pprof_reading import read
from tests.signals.profiles.test_pyroscope import PROTO, PUSH, pushed

MAIN, WORK, REST = ("main", "/app/m.py", 1), ("work", "/app/m.py", 20), ("rest", "/app/m.py", 30)


@pytest.fixture(scope="module")
def shop(house: House) -> House:
    for version, work in (("1.0.0", 2), ("2.0.0", 5)):
        builder = PprofBuilder().add([WORK, MAIN], work * SECOND).add([REST, MAIN], 1 * SECOND)
        builder.message.time_nanos = time.time_ns() - 60 * SECOND
        request = pushed("shop", builder.bytes(), service_version=version)
        assert house.client.post(PUSH, content=request.SerializeToString(), headers=PROTO).is_success
    house.wait_for("shop", "cpu", 2)
    return house


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(profiles.app, [*words, "--server", house.address], env={"COLUMNS": "100"})


def test_top_is_json_lines_when_piped(shop: House) -> None:
    result = run(shop, "top", "shop")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["function"], row["self"]) for row in rows] == [("work", 7 * SECOND), ("rest", 2 * SECOND), ("main", 0)]


def test_top_as_a_table(shop: House) -> None:
    result = run(shop, "top", 'service_name="shop",service_version="2.0.0"', "-o", "table", "--by", "total")
    lines = result.stdout.splitlines()
    assert lines[0] == "cpu: 6 s in 1 profile"
    assert lines[2].split()[:7] == ["0", "0.0%", "6", "s", "100.0%", "main", "/app/m.py"]
    assert lines[3].split()[:6] == ["5", "s", "83.3%", "5", "s", "83.3%"]


def test_folded(shop: House) -> None:
    assert run(shop, "folded", "shop", "-o", "text").stdout == f"main;work {7 * SECOND}\nmain;rest {2 * SECOND}\n"
    assert json.loads(run(shop, "folded", "shop").stdout.splitlines()[1]) == {
        "stack": ["main", "rest"],
        "value": 2 * SECOND,
    }


def test_types(shop: House) -> None:
    assert json.loads(run(shop, "types", "shop").stdout)["profiles"] == 2
    assert "20 s" in run(shop, "types", "shop", "-o", "table").stdout


def test_flame_has_a_line_a_level(shop: House) -> None:
    result = run(shop, "flame", "shop", "-o", "table")
    lines = result.stdout.splitlines()
    assert lines[0] == "cpu: 9 s in 2 profiles"
    assert [line.split()[0] for line in lines[1:4]] == ["total", "main", "rest"]
    assert lines[3].index("work") == round(100 * 2 / 9)
    assert json.loads(run(shop, "flame", "shop").stdout)["root"]["value"] == 9 * SECOND


def test_flame_blocks_fill_their_width() -> None:
    leaf = {"name": "leaf", "value": 1, "children": []}
    root = {"name": "total", "value": 3, "children": [leaf, {"name": "wide", "value": 2, "children": []}]}
    first, second = flame_lines(root, 30, str)
    assert (len(first.plain), len(second.plain)) == (30, 30)
    assert second.plain.index("wide") == 10


def test_diff(shop: House) -> None:
    words = ("diff", "shop", "--baseline", "1.0.0", "--candidate", "2.0.0")
    first = json.loads(run(shop, *words).stdout.splitlines()[0])
    assert (first["function"], first["baseline_self"], first["candidate_self"]) == ("work", 2 * SECOND, 5 * SECOND)
    lines = run(shop, *words, "-o", "table", "--all").stdout.splitlines()
    assert lines[0] == "cpu: 3 s -> 6 s in the baseline's time, 1 and 1 profile"
    assert lines[2].split()[:8] == ["+3", "s", "?", "2", "s", "5", "s", "+3"]
    narrow = CliRunner().invoke(
        profiles.app, [*words, "-o", "table", "--all", "--server", shop.address], env={"COLUMNS": "60"}
    )
    assert narrow.stdout.splitlines()[2].split() == ["+3", "s", "2", "s", "5", "s", "work"]
    assert "Too few profiles to tell" in run(shop, *words, "-o", "table").stdout


def test_graph_of_a_function(shop: House) -> None:
    lines = run(shop, "graph", "main", "shop", "-o", "table").stdout.splitlines()
    assert lines[1].split()[:4] == ["9", "s", "100%", "main"]
    assert lines[2].split()[:5] == ["7", "s", "77.8%", "v", "work"]
    caller = json.loads(run(shop, "graph", "work", "shop").stdout)["callers"][0]
    assert (caller["function"], caller["value"]) == ("main", 7 * SECOND)
    missing = run(shop, "graph", "nothing", "shop")
    assert (missing.exit_code, "'nothing'" in missing.stderr) == (3, True)


def test_lines_beside_their_source(shop: House, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "m.py").write_text("".join(f"line {number}\n" for number in range(1, 40)))
    shown = run(shop, "lines", "work", "shop", "-o", "table", "--source", str(tmp_path)).stdout.splitlines()
    assert shown[1] == "/app/m.py"
    assert shown[4].split() == ["7", "s", "7", "s", "20", "line", "20"]
    assert [line.split()[-1] for line in shown[2:]] == ["18", "19", "20", "21", "22"]
    without = run(shop, "lines", "work", "shop", "-o", "table").stdout.splitlines()
    assert without[2].split() == ["7", "s", "7", "s", "20"]


def test_timeline(shop: House) -> None:
    shown = run(shop, "timeline", "work", "shop", "-o", "table").stdout
    assert "77.78%" in shown
    assert "█" in shown
    assert json.loads(run(shop, "timeline", "work", "shop").stdout.splitlines()[0])["total"] == 7 * SECOND
    assert "No profile there has 'wrok'" in run(shop, "timeline", "wrok", "shop", "-o", "table").stderr


def test_diff_says_which_side_is_missing(shop: House) -> None:
    result = run(shop, "diff", "shop", "--baseline", "1.0.0", "--candidate", "9", "-o", "table")
    assert result.exit_code == 3
    assert "no profile of candidate 9" in result.stderr


def test_export(shop: House, tmp_path: Path) -> None:
    assert (
        run(shop, "export", "shop", "--format", "folded").stdout == f"main;work {7 * SECOND}\nmain;rest {2 * SECOND}\n"
    )
    nothing = run(shop, "export", "nobody", "--format", "folded")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr.startswith("Nothing was profiled there")
    path = tmp_path / "cpu.pb.gz"
    assert run(shop, "export", "shop", "--to", str(path)).exit_code == 0
    assert sum(read(path.read_bytes()).values[:, 0].tolist()) == 9 * SECOND
    assert run(shop, "export", "shop", "--to", str(tmp_path / "no" / "file")).exit_code == 3
    wrong = run(shop, "export", "shop", "--format", "svg")
    assert (wrong.exit_code, wrong.stderr) == (3, "pilothouse: format: 'svg' is none of pprof, folded and speedscope\n")


def test_errors_are_one_sentence(shop: House) -> None:
    result = run(shop, "top", "a=b")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("pilothouse: selector: expected label")
    nobody = CliRunner().invoke(profiles.app, ["top", "--server", "http://127.0.0.1:1"])
    assert nobody.exit_code == 3
    assert "pilothouse up" in nobody.stderr


@pytest.mark.parametrize("command", ["types", "top", "folded", "flame", "diff", "export"])
def test_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(profiles.app, [command, "--help"], env={"COLUMNS": "200"})
    assert "pilothouse profiles" in result.stdout
