"""An exported model of a few kilobytes, and someone who presses “Publish”."""

import json

from facet.publish.repo import Target, publish

README = "---\nlicense: gemma\nbase_model: google/gemma-3-270m-it\ntags: [facet]\n---\n\n# Poems\n"
EXPORTED = {
    "adapter_model.safetensors": b"weights" * 300,
    "adapter_config.json": json.dumps({"base_model_name_or_path": "google/gemma-3-270m-it"}).encode(),
    "README.md": README.encode(),
    "facet-run.yaml": b"facet_run: 1\n",
    "tokenizer.json": b'{"model": {}}' * 100,
    "tokenizer_config.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "NOTICE": b"Gemma is provided under and subject to the Gemma Terms of Use.\n",
    "curve.svg": b"<svg/>",
}
NEVER = {
    "training_args.bin": b"\x80\x04pickle",
    "optimizer.pt": b"x",
    "events.jsonl": b"{}",
    ".env": b"x",
    "base/config.json": b"{}",
    "adapter_model.bin": b"x",
    "deep/README.md": b"x",
    "notes/private.txt": b"x",
}


def write(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


class Presser:
    """Someone in front of the button. `told` and `waited` are what the page would have shown and done."""

    def __init__(self, hub, folder, token=None):
        self.hub, self.folder = hub, folder
        self.token = token or hub.token("ann", scopes=["contribute-repos"])
        self.told, self.waited, self.endpoint = [], [], hub.url

    def press(self, repo="ann/poems", *, folder=None, token=None, **target):
        return publish(
            folder or self.folder,
            Target(repo, **target),
            token or self.token,
            lambda words, share: self.told.append((words, share)),
            self.endpoint,
            sleep=self.waited.append,
        )

    def repo(self, name="ann/poems"):
        return self.hub.repos["model", name]

    def files(self, name="ann/poems"):
        """What the Hub has, less what it put there by itself."""
        return {path: data for path, data in self.repo(name).files.items() if path != ".gitattributes"}

    def versions(self, name="ann/poems"):
        """Commits of ours, newest first."""
        return self.repo(name).history[:-1]
