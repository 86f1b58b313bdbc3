"""The process: configuration, ports, lifecycle, limits and the page."""
