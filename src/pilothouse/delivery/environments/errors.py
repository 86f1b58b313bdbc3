"""What can be wrong with environments.

EnvironmentsError     the environments file, or what it points to, cannot be used
 +-- EditError        a version cannot be read or changed where it should stand
"""


class EnvironmentsError(Exception):
    """The message names the place and says what to do."""


class EditError(EnvironmentsError):
    """A version's place in a file: not there, not a single value, or not to be changed alone."""
