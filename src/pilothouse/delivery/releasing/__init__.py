"""From a merge to a release: the next version, its tag and changelog, where it came from, and a mark for the telemetry.

`history` asks git what lies between the last tag and a commit, `working_out` makes the next version of that,
`publishing` does what is to be seen of it, and `attesting` signs where it came from.
"""
