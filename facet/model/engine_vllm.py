"""vLLM as an engine, on a graphics card where it is installed: one base in memory, adapters beside it.

Written to vLLM's documented `LLMEngine`; the probe decides whether it is used, as for every engine.
Source: https://docs.vllm.ai/en/stable/api/vllm/v1/engine/llm_engine/
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from facet.model.company import Company
from facet.model.decoding import VLLM, Decoding
from facet.model.engine import Refused, Said, most_of
from facet.model.tuned import is_whole

SHARE_OF_CARD: Final = 0.5  # transformers holds the same model beside it, for all that is measured
LARGEST_RANK: Final = 256  # of an adapter


class Vllm:
    """A base in vLLM, or an adapter beside it: those of one base share `shared`, the `LLMEngine`."""

    name = VLLM
    _numbers = itertools.count(1)

    def __init__(self, shared: Any, stop_ids: Sequence[int], context: int, adapter: Path | None) -> None:
        self.shared, self.stop_ids, self.context = shared, list(stop_ids), context
        self.lora = None
        if adapter is not None and is_whole(adapter):
            raise Refused(
                VLLM, "all weights of this model were trained, and it takes one model with adapters beside it"
            )
        if adapter is not None:
            from vllm.lora.request import LoRARequest

            number = next(self._numbers)
            self.lora = LoRARequest(f"adapter-{number}", number, str(adapter))

    def speak(
        self, prompts: Sequence[list[int]], decoding: Decoding, wanted: Callable[[int], bool] = lambda place: True
    ) -> Iterator[Said]:
        """See `Engine`."""
        said: dict[str, int] = {}  # request → tokens heard so far
        places: dict[str, int] = {}
        for place, prompt in enumerate(prompts):
            name = f"facet-{next(self._numbers)}"
            places[name], said[name] = place, 0
            settings = self._settings(decoding, most_of(prompt, decoding, self.context))
            self.shared.add_request(name, {"prompt_token_ids": prompt}, settings, lora_request=self.lora)
        try:
            while places:
                for output in self.shared.step():
                    name = output.request_id
                    if name not in places:
                        continue
                    ids = list(output.outputs[0].token_ids)
                    new, said[name] = ids[said[name] :], len(ids)
                    place = places[name]
                    if output.finished:
                        del places[name]
                    yield Said(place, new, output.finished)
                    if name in places and not wanted(place):
                        self.shared.abort_request([name])
                        del places[name]
        finally:
            if places:
                self.shared.abort_request(list(places))

    def _settings(self, decoding: Decoding, most: int) -> Any:
        from vllm import SamplingParams

        return SamplingParams(
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,  # 0 for all
            min_p=decoding.min_p,
            repetition_penalty=decoding.repetition_penalty,
            seed=decoding.seed,
            max_tokens=most,
            stop_token_ids=self.stop_ids,
            skip_special_tokens=False,
            detokenize=False,  # tokens are all we want
        )

    def close(self) -> None:
        self.shared = None


def load_vllm(company: Company, context: int) -> Any:
    """The base in vLLM, in the numbers that transformers uses here."""
    from vllm import EngineArgs, LLMEngine

    return LLMEngine.from_engine_args(
        EngineArgs(
            model=str(company.base),
            dtype=company.execution.dtype,
            max_model_len=context,
            gpu_memory_utilization=SHARE_OF_CARD,
            generation_config="vllm",  # nothing of the model's own settings: ours are all there is
            enable_lora=True,
            max_lora_rank=LARGEST_RANK,
            trust_remote_code=False,
            disable_log_stats=True,
        )
    )
