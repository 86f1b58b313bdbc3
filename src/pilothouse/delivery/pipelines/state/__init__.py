"""What is kept of runs: their objects, and who runs them, so that nothing is lost and nothing runs twice."""
