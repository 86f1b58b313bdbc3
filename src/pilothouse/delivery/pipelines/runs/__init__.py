"""One PipelineRun: which task runs when, with which values, and what became of it."""
