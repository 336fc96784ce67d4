"""Trackers for those who use them: TensorBoard, Trackio and Weights & Biases, fed from the events of a run.

events.jsonl → feed.py (what will not change any more) → one writer. The worker knows nothing of it.
"""
