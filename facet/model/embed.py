"""How alike two texts are, as the untouched model reads them: the mean of its last hidden states, of unit length.

Language models put all texts into a narrow cone, so even unlike ones have a cosine far above zero. The number is good
for telling which of two answers is nearer to a third, not as a grade.
"""

from collections.abc import Sequence
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.model.speak import context_of

READ_TOKENS: Final = 4096  # in one pass, with what fills them up
MOST_ROWS: Final = 32


def embeddings(model: Any, renderer: Renderer, texts: Sequence[str]) -> Any:
    """A NumPy array (N, D) in 4-byte numbers. An empty text is all zeros. Give it the untouched model."""
    import numpy
    import torch

    limit = context_of(model)
    ids = [renderer.chunks(text)[0].ids[:limit] if text.strip() else [] for text in texts]
    found = numpy.zeros((len(texts), model.config.get_text_config().hidden_size), numpy.float32)
    order = sorted((place for place in range(len(ids)) if ids[place]), key=lambda place: len(ids[place]))
    while order:
        longest = len(ids[order[-1]])
        size = max(1, min(MOST_ROWS, READ_TOKENS // longest))
        places, order = order[-size:], order[:-size]
        rows = torch.tensor([ids[place] + [0] * (longest - len(ids[place])) for place in places], device=model.device)
        mask = torch.tensor([[1] * len(ids[p]) + [0] * (longest - len(ids[p])) for p in places], device=model.device)
        with torch.inference_mode():
            out = model(
                input_ids=rows, attention_mask=mask, use_cache=False, logits_to_keep=1, output_hidden_states=True
            )
            weight = mask[..., None].float()  # (B, T, 1)
            mean = (out.hidden_states[-1].float() * weight).sum(1) / weight.sum(1)  # (B, D)
            found[places] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
    return found


def cosines(left: Any, right: Any) -> list[float]:
    """Of each row of one array with the same row of another, both of unit length."""
    return [float(value) for value in (left * right).sum(1)]
