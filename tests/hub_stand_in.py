"""A small Hub on loopback for tests: repositories in memory, spoken to by the real client, with faults on request.

    with StandInHub() as hub:
        hub.add("dataset", "ann/poems", {"train.jsonl": b"..."})
        Hub(cache, endpoint=hub.url).dataset_file("ann/poems")

Xet is not imitated. To serve an app in another process, give it `hub.environment`.
"""

from tests.stand_in.repos import LARGE, Repo, etag
from tests.stand_in.server import StandInHub

__all__ = ["LARGE", "Repo", "StandInHub", "etag"]
