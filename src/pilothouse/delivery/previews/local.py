"""A pull request's files fetched and started in a sandbox of this machine."""

from __future__ import annotations

import http.client
import secrets
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.delivery.environments import EnvironmentsError
from pilothouse.delivery.environments.checkouts import fetch
from pilothouse.delivery.previews.preview import PreviewError
from pilothouse.delivery.previews.sandboxed import Sandboxed

if TYPE_CHECKING:
    from pilothouse.delivery.forges import Forge
    from pilothouse.delivery.previews.preview import Preview
    from pilothouse.delivery.projects.project import PreviewPlan

_SECONDS = 3.0


class LocalPreview:
    """One that runs on this machine."""

    def __init__(self, plan: PreviewPlan, sandbox: Sandboxed) -> None:
        self._plan, self._sandbox = plan, sandbox
        self.how, self.port, self.place = sandbox.how, sandbox.port, ""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self._sandbox.address}:{self._sandbox.port}/"

    def ready(self) -> bool:
        """Whether its readiness path answers with less than 500."""
        connection = http.client.HTTPConnection(self._sandbox.address, self._sandbox.port, timeout=_SECONDS)
        try:
            connection.request("GET", self._plan.ready)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def failed(self) -> str:
        """Why it will never answer, or nothing."""
        code = self._sandbox.exit_code
        if code is None:
            return ""
        if self._sandbox.out_of_memory():
            return f"it used more than the {self._plan.memory >> 20} MiB of memory that it may"
        return f"its command ended with exit code {code if code >= 0 else 128 - code}"

    def log(self) -> str:
        """The last that it said."""
        return self._sandbox.log

    def stop(self) -> None:
        """End it."""
        self._sandbox.stop()


class LocalStarter:
    """Starts previews on this machine, of pull requests of forges that `forge` finds by their names."""

    def __init__(self, forge: Callable[[str], Forge]) -> None:
        self._forge = forge

    def start(self, preview: Preview, plan: PreviewPlan, place: Path) -> LocalPreview:
        """See `Starter`."""
        if not plan.command:
            raise PreviewError("preview.command: is needed for a preview on one machine")
        files, home = place / "files", place / "home"
        for directory in (files, home):
            directory.mkdir(parents=True, exist_ok=True)
        fetched(self._forge(preview.forge), preview, place / "git", files)
        # Control groups are the machine's: another server's first preview must not be the same group as ours.
        name = f"preview-{preview.id}-{secrets.token_hex(4)}"
        sandbox = Sandboxed(name, files, home, plan, address_of(preview.id), preview.port)
        return LocalPreview(plan, sandbox)

    def sweep(self, live: Collection[int]) -> None:
        """Sandboxes end with the process that started them: there is nothing to take away."""


def fetched(forge: Forge, preview: Preview, repository: Path, files: Path) -> None:
    """The files of the preview's commit. Raises `UnavailableError` when the forge does not give them now, and
    `PreviewError` when the commit is not the pull request's head any more.
    """
    try:
        commit = fetch(forge.remote(preview.repository), forge.pull_ref(preview.number), repository, files)
    except EnvironmentsError as error:
        raise PreviewError(str(error)) from None
    if commit != preview.commit:
        raise PreviewError(f"{preview.commit[:10]} is not the pull request's head any more, which is {commit[:10]}")


def address_of(key: int) -> str:
    """A loopback address of its own for each preview.

    Cookies know hosts and no ports: at one address with Pilothouse's page, a preview would be sent the page's.
    """
    if sys.platform != "linux":
        return "127.0.0.1"
    return f"127.77.{key // 250 % 250 + 1}.{key % 250 + 1}"
