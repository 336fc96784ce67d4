"""TRL's trainer with looks at the validation part that measure one thing: the plain error per token.

Its own look would take over the way of counting errors that is learned by, which can rise while a model learns; and it
is a mean over groups of examples, so that it changes with how many are looked at together. Plain scripts hold this
class too, word for word.
"""

from typing import Any

from trl import SFTTrainer


class ExactLooks(SFTTrainer):
    """A look is the mean negative log-likelihood of all its labels, in nats, and the share of them that came first."""

    def evaluation_loop(self, *given: Any, **named: Any) -> Any:
        """As the trainer's own, in place of its mean over groups. `loss_type` is afterwards what it was, always."""
        self.groups: list[tuple[int, float, float]] = []  # labels, mean error and share of hits of each
        learned_by, self.args.loss_type = self.args.loss_type, "nll"
        try:
            found = super().evaluation_loop(*given, **named)
        finally:
            self.args.loss_type = learned_by
        if labels := sum(group[0] for group in self.groups):
            prefix = named.get("metric_key_prefix", "eval")
            found.metrics[f"{prefix}_loss"] = sum(count * loss for count, loss, _ in self.groups) / labels
            hits = sum(count * share for count, _, share in self.groups)
            self._metrics["eval"]["mean_token_accuracy"] = [hits / labels]
        return found

    def prediction_step(self, model: Any, inputs: Any, *given: Any, **named: Any) -> Any:
        """One group. Position t predicts label t + 1, so the first label of each row is never counted."""
        labels = int((inputs["labels"][:, 1:] != -100).sum())
        told = super().prediction_step(model, inputs, *given, **named)
        if labels:  # without any the error is no number
            self.groups.append((labels, float(told[0]), self._metrics["eval"]["mean_token_accuracy"][-1]))
        return told
