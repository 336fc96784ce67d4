"""TRL's own trainer on our tokens. The only file that makes one."""

from typing import Any

from facet.gemma.inspect import inspect
from facet.gemma.targets import lora_targets
from facet.train import rows, weights
from facet.train.job import Job
from facet.train.to_trl import to_trl


def build(job: Job, watch: Any) -> Any:
    """The trainer of one slice. It is changed by one callback and nothing else."""
    import torch
    from transformers import set_seed
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig, SFTTrainer

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
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**arguments.sft),
        train_dataset=rows.dataset(job.piece.task, "train"),
        eval_dataset=rows.dataset(job.piece.task, "validation", rows.validation_rows(job.recipe, job.total_steps)),
        processing_class=padding_tokenizer(),
        peft_config=adapter,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.processing_class = None  # it would be written into every save point
    return trainer


def padding_tokenizer() -> Any:
    """All the trainer's collator asks of a tokenizer. Loading the model's own again would cost up to a gigabyte.

    Which id pads does not matter: padded positions are masked, and their labels are ignored.
    """
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>"
    )
