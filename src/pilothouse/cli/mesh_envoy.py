"""`pilothouse mesh envoy`: reads, starts, watches, and says what happens."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.cli.client import fail

if TYPE_CHECKING:
    from pilothouse.mesh.compiling import Compiled
    from pilothouse.mesh.envoy.running import RunningMesh
    from pilothouse.mesh.model import Configuration

_LOOK_EVERY = 0.25


def compiled_for(configuration: Configuration, services: Path | None) -> Compiled:
    """What each proxy of a local mesh gets, as one object a proxy."""
    from pilothouse.mesh.compiling import Compiled
    from pilothouse.mesh.envoy.local import LocalMeshError, read_local_mesh
    from pilothouse.mesh.envoy.resources import prepare, snapshot

    if services is None:
        fail("--to envoy needs --services FILE: which services and proxies there are")
    try:
        mesh = read_local_mesh(services)
    except LocalMeshError as error:
        fail(str(error))
    compiled = Compiled()
    for name, proxy in mesh.proxies.items():
        made = snapshot(prepare(configuration, mesh), mesh, proxy, Path("certificates"))
        resources = [content for found in made.resources.values() for content in found.values()]
        compiled.objects.append({"proxy": name, "resources": resources})
        compiled.findings += [finding for finding in made.findings if finding not in compiled.findings]
    return compiled


def serve(
    config: list[Path],
    services: Path,
    namespace: str,
    xds: str,
    proxies: bool,
    delta: bool = False,
    targets: Path | None = None,
) -> None:
    """Until SIGINT or SIGTERM."""
    from pilothouse.mesh.envoy.binary import EnvoyMissingError, find
    from pilothouse.mesh.envoy.local import LocalMeshError, read_local_mesh
    from pilothouse.mesh.envoy.running import RunningMesh
    from pilothouse.mesh.noticing import watch

    try:
        mesh = read_local_mesh(services)
        program = find() if proxies else Path()
    except (LocalMeshError, EnvoyMissingError) as error:
        fail(str(error))
    over = False

    def stop(*_: object) -> None:
        nonlocal over
        over = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with RunningMesh(mesh, program, xds, delta) as running:
        running.discovery.on_refused = lambda proxy, kind, reason: _say(f"{proxy} refused {kind}: {reason}")
        if not _apply(running, config, namespace):
            fail("the configuration has errors; nothing was started")
        if proxies:
            running.start()
            for name in mesh.proxies:
                _say(f"envoy {name}: admin page http://{running.admin(name)}")
            if targets:
                _write_targets(targets, {name: running.admin(name) for name in mesh.proxies})
        _say(f"xDS on {running.discovery.address}")
        for proxy in mesh.proxies.values():
            for service, listen in proxy.outbound:
                _say(f"{proxy.name} reaches {service} at {listen}")

        def is_over() -> bool:
            for name, code in running.ended().items():
                fail(f"envoy for {name} ended with {code}:\n{running.log_of(name)[-2000:]}")
            return over

        watch([*config, services], _LOOK_EVERY, lambda: _again(running, config, services, namespace), is_over)


def _write_targets(file: Path, admins: dict[str, str]) -> None:
    """Where the Envoys' metrics are, as Prometheus' file_sd_configs take it: replaced whole, never half written."""
    import json

    rows = [
        {"targets": [address], "labels": {"__metrics_path__": "/stats/prometheus", "job": "envoy"}}
        for _, address in sorted(admins.items())
    ]
    written = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(json.dumps(rows, indent=2) + "\n")
        written.replace(file)
    except OSError as error:
        fail(f"--targets {file}: {error.strerror}")


def _again(running: RunningMesh, config: list[Path], services: Path, namespace: str) -> None:
    from pilothouse.mesh.envoy.local import LocalMeshError, read_local_mesh

    try:
        running.change(read_local_mesh(services))
    except LocalMeshError as error:
        _say(f"changed, but the last stays: {error}")
        return
    _say("changed: applied" if _apply(running, config, namespace) else "changed, but has errors: the last stays")


def _apply(running: RunningMesh, config: list[Path], namespace: str) -> bool:
    """Whether it was applied; what has errors is not, and what was before stays in force."""
    from pilothouse.kube import read
    from pilothouse.mesh.reading import read_objects

    manifests = read(config)
    reading = read_objects(manifests.objects, namespace)
    errors = [finding for finding in reading.findings if finding.level == "error"]
    for problem in (*manifests.problems, *reading.findings):
        _say(str(problem))
    if manifests.problems or errors:
        return False
    for finding in running.apply(reading.configuration):
        _say(str(finding))
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
