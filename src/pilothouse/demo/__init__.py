"""The demo: a small real system, a release with a planted regression, and Pilothouse's verdict on it.

`run_demo` starts Pilothouse and the shop (`pilothouse.demo.shop`) as processes of their own, drives load
through the shop, releases checkout 2.0.0 beside 1.0.0 as a canary and asks Pilothouse to compare the two. It
knows a running server only over its ports, as any user would.
"""

from pilothouse.demo.options import DemoOptions

__all__ = ["DemoOptions", "run_demo"]


def run_demo(options: DemoOptions) -> int:
    """Runs the demo. Returns the exit code: 0 as planted, 1 for another verdict, 3 when it could not run."""
    from pilothouse.demo.running import run

    return run(options)
