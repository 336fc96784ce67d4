"""Work of any kind: the task folder, its log, its checkpoints, the worker that advances it. Knows no training."""
