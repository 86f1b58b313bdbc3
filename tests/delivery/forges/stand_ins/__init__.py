"""Stand-ins of GitHub, GitLab and Forgejo: their documented REST shapes over a built-in forge with real git."""
