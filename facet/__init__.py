"""Facet: prepare data, tune a small open language model, talk to it, test it honestly, take it home.

Data flows one way, and so do imports:

    rows → PreparedDataset → Recipe → Run (slices, events, checkpoints) → Adapter → chat · exam · export · publish

Start reading at `facet/studio.py` (what a person can do), then follow the flow: `dataset/prepare.py`,
`recipe/recipes.py`, `work/task.py`, `train/slice.py`, `model/speak.py`, `exam/exam.py`, `export/bundle.py`.
The page lives in `ui/` and calls nothing but the studio; the same calls are commands in `cli/`.
"""

__version__ = "0.6.0"
