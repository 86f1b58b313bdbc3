"""One TaskRun: prepared, its steps run in order, its results read, its status written as Tekton writes it."""
