"""A stand-in for podman and docker, which the tests' machines need not have: their command line, without images.

It takes the arguments of `run`, `exec`, `rm` and `info` that the two share, refuses others with exit code 125 as they do,
runs a container as a process group of its own that outlives its client, keeps names apart, hands over only the
variables that `--env` names, and mounts what `--volume` says over this machine's root. Its images are the table below.
Each call is written down as a line of JSON in `calls.jsonl` beside the state.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from pilothouse.delivery.pipelines.executors import namespace
from pilothouse.delivery.pipelines.executors.launching import Mount

IMAGES = {
    "greeter:1": {"entrypoint": ["echo", "hello"], "command": ["world"]},
    "bash": {"entrypoint": [], "command": ["bash"]},
}
STATE = Path(__file__).parent


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        sys.stderr.write(f"{message}\n")
        raise SystemExit(125)


def _parser() -> _Parser:
    parser = _Parser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("info")
    run = verbs.add_parser("run", allow_abbrev=False)
    run.add_argument("--rm", action="store_true", required=True)
    for name in ("--name", "--workdir"):
        run.add_argument(name, required=True)
    for name in ("--user", "--memory", "--cpus", "--entrypoint"):
        run.add_argument(name)
    for name in ("--interactive", "--tty"):
        run.add_argument(name, action="store_true")
    run.add_argument("--network", choices=["none", "bridge", "host"])
    run.add_argument("--volume", action="append", default=[])
    run.add_argument("--env", action="append", default=[])
    run.add_argument("image")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    inside = verbs.add_parser("exec")
    inside.add_argument("name")
    inside.add_argument("arguments", nargs=argparse.REMAINDER)
    gone = verbs.add_parser("rm")
    gone.add_argument("--force", action="store_true")
    gone.add_argument("name")
    return parser


def main(arguments: list[str]) -> int:
    with (STATE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps({"arguments": arguments, "home": os.environ.get("HOME")}) + "\n")
    asked = _parser().parse_args(arguments)
    return {"info": lambda _: 0, "run": _run, "exec": _exec, "rm": _remove}[asked.verb](asked)


def _run(asked: argparse.Namespace) -> int:
    image = IMAGES.get(asked.image)
    if image is None:
        sys.stderr.write(f"Error: {asked.image}: image not known\n")
        return 125
    entrypoint = [asked.entrypoint] if asked.entrypoint else image["entrypoint"]
    rest = asked.arguments or ([] if asked.entrypoint else image["command"])
    place = STATE / f"{asked.name}.json"
    command = [*_root(asked), "--", *entrypoint, *rest]
    try:
        kept = place.open("x")
    except FileExistsError:
        sys.stderr.write(f"Error: the container name {asked.name} is already in use\n")
        return 125
    environment = {"PATH": os.environ["PATH"]}
    for one in asked.env:
        name, equals, value = one.partition("=")
        environment |= {name: value if equals else os.environ[name]} if equals or name in os.environ else {}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    with kept:
        json.dump({"pid": process.pid, "root": command[: command.index("--") + 1], "env": environment}, kept)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _tell(process.pid, number))
    code = process.wait()
    place.unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


def _tell(pid: int, number: int) -> None:
    """A signal to the container's first process, which is the child of the one that made its root."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(children[0]) if children else pid, number)


def _root(asked: argparse.Namespace) -> list[str]:
    mounts = []
    for volume in asked.volume:
        source, target, *options = volume.split(":")
        mounts.append(Mount(Path(source), target, "ro" in options))
    found = [str(namespace.bubblewrap()), *namespace.root_binds(mounts), "--proc", "/proc", "--dev", "/dev"]
    found += ["--unshare-net"] if asked.network == "none" else []
    if asked.user:
        user, _, group = asked.user.partition(":")
        found += ["--unshare-user", "--uid", user, "--gid", group or "0"]
    return [*found, "--chdir", asked.workdir]


def _exec(asked: argparse.Namespace) -> int:
    kept = json.loads((STATE / f"{asked.name}.json").read_text())
    return subprocess.run([*kept["root"], *asked.arguments], env=kept["env"]).returncode


def _remove(asked: argparse.Namespace) -> int:
    place = STATE / f"{asked.name}.json"
    if not place.exists():
        return 0 if asked.force else 1
    with contextlib.suppress(ProcessLookupError):
        os.killpg(json.loads(place.read_text())["pid"], signal.SIGKILL)
    place.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
