"""What can be wrong with what a user wrote about metrics."""


class ConfigurationError(Exception):
    """A file cannot be used; the message names the place in it."""
