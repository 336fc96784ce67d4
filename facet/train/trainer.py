"""TRL's own trainer on our tokens. The only file that makes one."""

from collections.abc import Callable
from typing import Any

from facet.gemma.inspect import inspect
from facet.gemma.targets import lora_targets
from facet.train import rows, weights
from facet.train.job import Job
from facet.train.portions import in_portions
from facet.train.probe import choose_kernels
from facet.train.to_trl import to_trl
from facet.train.two_speeds import with_two_speeds


def build(job: Job, watch: Any) -> Any:
    """The trainer of one slice: TRL's with one callback, an order of examples, faster kernels and exact looks."""
    import torch
    from transformers import set_seed
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig

    from facet.train.exact import ExactLooks
    from facet.train.watch import clear_staging

    torch.set_num_threads(job.execution.threads)
    set_seed(job.recipe.seed)
    facts = inspect(job.folder)
    arguments = to_trl(
        job.recipe,
        rows=job.counts.rows,
        output=clear_staging(job.piece.task.folder / "staging"),
        device=job.execution.device,
        targets=lora_targets(facts.model_type),
        micro_batch=job.execution.micro_batch,
    )
    model, adapter = weights.learner(job, arguments.lora)
    trainer = ExactLooks(
        model=model,
        args=SFTConfig(**arguments.sft),
        train_dataset=rows.dataset(job.piece.task, "train"),
        eval_dataset=rows.dataset(job.piece.task, "validation", rows.validation_rows(job.recipe, job.total_steps)),
        processing_class=padding_tokenizer(),
        peft_config=adapter,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    with_two_speeds(trainer, job.recipe)
    choose_kernels(job, trainer)
    if job.execution.portion:
        in_portions(trainer, job.execution.portion)
    if job.recipe.train_sampling_strategy == "group_by_length":
        trainer._get_train_sampler = lambda dataset=None: _by_length(job, trainer)
    trainer.processing_class = None  # it would be written into every save point
    trainer.evaluate = _beside_the_dice(trainer.evaluate)
    return trainer


def _by_length(job: Job, trainer: Any) -> Any:
    """In groups of the recipe's size, also where memory made the trainer's smaller: the order must not change then."""
    import pyarrow.compute as pc

    from facet.train.order import ByLength

    lengths = pc.list_value_length(trainer.train_dataset.with_format("arrow")[:]["input_ids"]).to_pylist()
    per_epoch = -(-len(lengths) // job.recipe.effective_batch_size)
    group = job.recipe.per_device_train_batch_size
    return ByLength(lengths, trainer.args.data_seed, group, lambda: trainer.state.global_step // per_epoch)


def _beside_the_dice(look: Callable[..., Any]) -> Callable[..., Any]:
    """Its loader throws dice too. A slice that ends before a look has to go on with those of one that looked."""
    import torch

    def evaluate(*given: Any, **named: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            return look(*given, **named)

    return evaluate


def padding_tokenizer() -> Any:
    """All the trainer's collator asks of a tokenizer. Loading the model's own again would cost up to a gigabyte.

    Which id pads does not matter: padded positions are masked, and their labels are ignored.
    """
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>"
    )
