"""What the demo's processes inherit, and how they are told who they are."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource

from pilothouse.demo import environment


def test_nothing_of_the_user_bends_the_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    bending = ("OTEL_SDK_DISABLED", "https_proxy", "HTTP_PROXY", "PILOTHOUSE_DATA", "PYROSCOPE_X", "SHOP_LISTEN")
    for name in bending:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SSL_CERT_FILE", "kept")
    clean = environment.clean()
    assert not clean.keys() & set(bending)
    assert clean["SSL_CERT_FILE"] == "kept"
    assert "PATH" in clean


def test_the_sdk_understands_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment.telemetry("checkout", "2.0.0", ("grpc", "http://127.0.0.1:4317"), "http://x/pyroscope")
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    said = Resource.create().attributes
    assert said["service.name"] == "checkout"
    assert said["service.version"] == "2.0.0"
    assert said["service.namespace"] == "shop"
    assert said["deployment.environment.name"] == "demo"
    assert str(said["service.instance.id"]).startswith("checkout-")


def test_every_instance_is_another_one() -> None:
    told = [environment.telemetry("a", "1", ("grpc", "b"), "")["OTEL_RESOURCE_ATTRIBUTES"] for _ in range(2)]
    assert told[0] != told[1]
