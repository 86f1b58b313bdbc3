"""The layers of the configuration: file, environment, flags; and errors that name setting and source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.server.config import Config, ConfigError, load, shown


def _file(directory: Path, text: str) -> Path:
    path = directory / "settings.toml"
    path.write_text(text)
    return path


def test_each_layer_overrides_the_one_before_and_is_named(tmp_path: Path) -> None:
    file = _file(tmp_path, 'retention = "3d"\nmax_age = "3d"\nhttp = "127.0.0.1:1"\n')
    environment = {"PILOTHOUSE_MAX_AGE": "2d", "PILOTHOUSE_HTTP": "127.0.0.1:2", "HOME": "/nowhere"}
    loaded = load({"http": "127.0.0.1:3", "store": None}, file, environment)
    assert (loaded.config.retention, loaded.config.max_age, loaded.config.http) == ("3d", "2d", "127.0.0.1:3")
    named = {name: loaded.sources[name] for name in ("retention", "max_age", "http", "store")}
    assert named == {"retention": str(file), "max_age": "PILOTHOUSE_MAX_AGE", "http": "flag", "store": "default"}


def test_nothing_given_is_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg")
    loaded = load({}, environment={})
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.config.data == Path("/xdg/pilothouse")
    assert loaded.config.http == "127.0.0.1:4000"


def test_a_relative_directory_is_taken_from_where_the_server_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git and the steps of pipelines run elsewhere, and would look there."""
    monkeypatch.chdir(tmp_path)
    assert load({"data": "data"}, environment={}).config.data == tmp_path / "data"
    assert load({"data": Path("data")}, environment={}).config.data == tmp_path / "data"


def test_the_file_is_the_named_one_or_pilothouse_toml_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pilothouse.toml").write_text('log_level = "error"')
    other = _file(tmp_path, 'log_level = "debug"')
    assert load({}, environment={}).config.log_level == "error"
    assert load({}, environment={"PILOTHOUSE_CONFIG": str(other)}).config.log_level == "debug"
    assert load({}, other, {"PILOTHOUSE_CONFIG": "/nowhere"}).config.log_level == "debug"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("http", "4000", "HOST:PORT"),
        ("data", "", "is empty; name a directory"),
        ("http", "127.0.0.1:70000", "HOST:PORT"),
        ("otlp_grpc", "127.0.0.1:x", "HOST:PORT"),
        ("retention", "month", "duration"),
        ("flush_interval", "5", "duration"),
        ("max_body_bytes", "16MB", "integer"),
        ("max_body_bytes", "10", "greater than or equal to 1000"),
        ("journal_bytes", "-1", "greater than or equal"),
        ("log_level", "loud", "pattern"),
    ],
)
def test_a_wrong_value_is_named_with_its_source(tmp_path: Path, name: str, value: str, why: str) -> None:
    variable = f"PILOTHOUSE_{name.upper()}"
    with pytest.raises(ConfigError, match=rf"^{name} \(from {variable}\): .*{why}"):
        load({}, environment={variable: value})
    file = _file(tmp_path, f"{name} = {json.dumps(value)}")
    with pytest.raises(ConfigError, match=rf"^{name} \(from {file}\): .*{why}"):
        load({}, file, {})
    with pytest.raises(ConfigError, match=rf"^{name} \(from flag\): .*{why}"):
        load({name: value}, environment={})


@pytest.mark.parametrize(
    ("text", "why"),
    [("retentio = '1d'", "no such setting: retentio"), ("http = ", "Invalid value"), ("[store]\nurl = 1", "store")],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    file = _file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load({}, file, {})
    assert str(file) in str(caught.value)
    assert why in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: No such file"):
        load({}, tmp_path / "missing.toml", {})
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="binary: "):
        load({}, tmp_path / "binary", {})


# The first retention rule imports the query languages.
@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(Config.model_fields)), st.text(max_size=20)))
def test_any_environment_is_loaded_or_refused_in_words(values: dict[str, str]) -> None:
    environment = {f"PILOTHOUSE_{name.upper()}": value for name, value in values.items()}
    try:
        loaded = load({}, Path(os.devnull), environment)
    except ConfigError as error:
        refused = str(error)
    else:
        refused = ""
        assert {loaded.sources[name] for name in values} == set(environment)
    assert not refused or any(name in refused for name in values)


def test_an_address_without_a_host_is_on_loopback() -> None:
    assert load({"http": ":4001"}, Path(os.devnull), {}).config.http == "127.0.0.1:4001"


def _config(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pilothouse", "config", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)


def test_the_command_prints_what_is_in_force_and_from_where(tmp_path: Path) -> None:
    file = _file(tmp_path, 'retention = "7d"')
    flags = ("--config", str(file), "--log-level", "debug", "--kube-context", "kind")
    done = _config(*flags, "--output", "json", PILOTHOUSE_MAX_AGE="5d")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.keys() == Config.model_fields.keys()
    assert found["retention"] == {"value": "7d", "source": str(file)}
    assert found["max_age"] == {"value": "5d", "source": "PILOTHOUSE_MAX_AGE"}
    assert found["http"]["source"] == found["read_only"]["source"] == "default"
    assert (found["log_level"]["value"], found["kube"]["value"]) == ("debug", "True")
    assert found["kube_context"]["source"] == found["kube"]["source"] != "default"


def test_the_command_says_what_is_wrong_and_ends_with_3() -> None:
    done = _config(PILOTHOUSE_RETENTION="soon")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("pilothouse: retention (from PILOTHOUSE_RETENTION): ")
    assert "Traceback" not in done.stderr


def test_rules_for_spans_from_file_and_environment(tmp_path: Path) -> None:
    file = _file(tmp_path, '[span_retention]\n"{ status = error }" = "30d"\n')
    assert load({}, file, {}).config.span_retention == {"{ status = error }": "30d"}
    environment = {"PILOTHOUSE_SPAN_RETENTION": "{ } = 2d; { .a = 1 } = 3d"}
    assert load({}, file, environment).config.span_retention == {"{ }": "2d", "{ .a = 1 }": "3d"}
    for wrong in ("{ } | count() > 1 = 2d", "{ } = soon", "{ = 2d", "{"):
        with pytest.raises(ConfigError, match="span_retention"):
            load({}, file, {"PILOTHOUSE_SPAN_RETENTION": wrong})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://me:hush@db/control", "postgresql://me:***@db/control"),
        ("postgresql://me:hu@sh@db/control", "postgresql://me:***@db/control"),
        ("postgresql://me:hu/sh@db/control", "postgresql://me:***@db/control"),
        (
            "clickhouse://db:8123/t?user=me&password=hush&cluster=main",
            "clickhouse://db:8123/t?user=me&password=***&cluster=main",
        ),
        ("http://127.0.0.1:4000/a", "http://127.0.0.1:4000/a"),
    ],
)
def test_a_password_in_an_address_is_not_shown(address: str, said: str) -> None:
    assert shown(address) == said
