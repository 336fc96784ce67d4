"""What a model remembers of several texts at once: one lane each, filled up on the left so that all end together."""

from collections.abc import Sequence
from typing import Any, Final

READ_AT_ONCE: Final = 1024  # columns of prompts in one pass


class Lanes:
    """Keys and values of the rows that are being written, with the mask that hides what fills them up."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.cache: Any = None
        self.mask: Any = None  # (B, T): 1 where a row has a token
        self.is_full = True  # no lane is filled up: the mask would say nothing

    @property
    def length(self) -> int:
        """Tokens in the longest lane."""
        return 0 if self.mask is None else self.mask.shape[1]

    @property
    def can_join(self) -> bool:
        """Can lanes be added to those that are there? Only where the cache is of the two kinds we can widen."""
        return self.cache is None or all(map(_can_widen, self.cache.layers))

    def join(self, prompts: Sequence[list[int]]) -> Any:
        """Read prompts into lanes behind those that are there. The scores (B, V) of their next tokens."""
        import torch
        from transformers import DynamicCache

        longest, device = max(map(len, prompts)), self.model.device
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in prompts], device=device)  # (B, T)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in prompts], device=device)
        cache, is_full = DynamicCache(config=self.model.config), all(len(row) == longest for row in prompts)
        for start in range(0, longest, READ_AT_ONCE):
            end = min(longest, start + READ_AT_ONCE)
            scores = self._read(ids[:, start:end], mask[:, :end], cache, is_full)
        if self.cache is None:
            self.cache, self.mask, self.is_full = cache, mask, is_full
        else:
            self._widen(cache, mask)
        return scores

    def step(self, tokens: Sequence[int]) -> Any:
        """Write one more token into every lane. The scores (B, V) of what comes next."""
        import torch

        ids = torch.tensor(tokens, device=self.model.device)[:, None]  # (B, 1)
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], 1)
        return self._read(ids, self.mask, self.cache, self.is_full)

    def keep(self, places: Sequence[int]) -> None:
        """Let go of all other lanes, and of the columns that only filled them up."""
        import torch

        if not places:
            self.cache = self.mask = None
            self.is_full = True
            return
        chosen = torch.tensor(places, device=self.mask.device)
        self.mask = self.mask[chosen]
        self.cache.batch_select_indices(chosen)
        if self.is_full:
            return
        empty = int(self.mask.argmax(1).min())  # columns at the left where no lane has a token
        if empty and self.can_join:
            self.mask = self.mask[:, empty:]
            for layer in self.cache.layers:
                _set_length(layer, self.length)
        self.is_full = bool(self.mask.all())

    def _read(self, ids: Any, mask: Any, cache: Any, is_full: bool) -> Any:
        import torch

        where = {}
        if not is_full:
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            where = {"attention_mask": mask, "position_ids": places}
        with torch.inference_mode():
            out = self.model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1, **where)
            return out.logits[:, -1].float()

    def _widen(self, cache: Any, mask: Any) -> None:
        import torch

        length = max(self.length, mask.shape[1])
        for mine, theirs in zip(self.cache.layers, cache.layers, strict=True):
            if mine.keys is None:
                continue  # a layer that uses another's keys and values
            for layer in (mine, theirs):
                _set_length(layer, length)
            mine.keys = torch.cat([mine.keys, theirs.keys])
            mine.values = torch.cat([mine.values, theirs.values])
        pad = torch.nn.functional.pad
        self.mask = torch.cat([pad(each, (length - each.shape[1], 0)) for each in (self.mask, mask)])
        self.is_full = bool(self.mask.all())


def _can_widen(layer: Any) -> bool:
    from transformers.cache_utils import DummyLayer, DynamicLayer, DynamicSlidingWindowLayer

    return type(layer) in (DynamicLayer, DynamicSlidingWindowLayer, DummyLayer)


def _set_length(layer: Any, length: int) -> None:
    """Add columns on the left, which the mask hides, or take them away. A layer with a window holds only its end."""
    import torch

    if layer.keys is None:
        return
    held = min(length, layer.sliding_window - 1) if layer.is_sliding else length
    if layer.is_sliding:
        layer.cumulative_length = length
    more = held - layer.keys.shape[-2]
    if more > 0:
        layer.keys = torch.nn.functional.pad(layer.keys, (0, 0, more, 0))
        layer.values = torch.nn.functional.pad(layer.values, (0, 0, more, 0))
    elif more < 0:
        layer.keys, layer.values = layer.keys[..., -held:, :], layer.values[..., -held:, :]
