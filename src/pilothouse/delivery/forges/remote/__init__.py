"""What the forges that are asked over HTTP share: calling, reading answers, secrets, moving branches by git."""
