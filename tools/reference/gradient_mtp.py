"""A DeepSeek-V3 model with its multi-token prediction module in torch, to be differentiated.

Section 2.2 of the DeepSeek-V3 report, with the names of the published weights: `enorm` of the next token's embedding and `hnorm` of
the main model's hidden state, in this order, go through `eh_proj` into a whole layer of experts, then `shared_head.norm` and the main
model's head. Both losses are means over their own targets: a document of n tokens has n - 1 of the main model's and n - 2 of the
module's.
"""

from __future__ import annotations

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.deepseek_v3.modeling_deepseek_v3 import (
    DeepseekV3DecoderLayer,
    DeepseekV3RMSNorm,
)

WEIGHT = 0.3
SHARED = ("embed_tokens.weight", "shared_head.head.weight")


class Module(nn.Module):
    """Parameters of the published layer are under `layer.`, the others under their published names."""

    def __init__(self, config: transformers.DeepseekV3Config) -> None:
        super().__init__()
        dim, eps = config.hidden_size, config.rms_norm_eps
        self.enorm, self.hnorm = DeepseekV3RMSNorm(dim, eps), DeepseekV3RMSNorm(dim, eps)
        self.eh_proj = nn.Linear(2 * dim, dim, bias=False)
        self.layer = DeepseekV3DecoderLayer(config, layer_idx=config.num_hidden_layers)
        self.shared_head = nn.ModuleDict({"norm": DeepseekV3RMSNorm(dim, eps)})

    def forward(self, model: nn.Module, hidden: Tensor, tokens: Tensor) -> Tensor:
        """hidden [tokens - 1, dim] of all but the last token -> logits [tokens - 1, vocab]."""
        embedded = self.enorm(model.model.embed_tokens(tokens[1:]))
        x = self.eh_proj(torch.cat([embedded, self.hnorm(hidden)], dim=-1))[None]
        count = len(hidden)
        mask = torch.full((count, count), -torch.inf, dtype=x.dtype).triu(1)
        angles = model.model.rotary_emb(x, torch.arange(count)[None])
        x = self.layer(x, attention_mask=mask[None, None], position_embeddings=angles)
        return model.lm_head(self.shared_head["norm"](x[0]))


class WithModule(nn.Module):
    """The main model and its module, whose weights `tensors` has under the published names, its experts fused."""

    def __init__(
        self, model: nn.Module, tensors: dict[str, Tensor], hidden_after_norm: bool
    ) -> None:
        super().__init__()
        self.main, self.module = model, Module(model.config)
        self.hidden_after_norm = hidden_after_norm
        self.prefix = f"model.layers.{model.config.num_hidden_layers}."
        self.module.load_state_dict(
            {
                self.inner_name(name): tensor
                for name, tensor in tensors.items()
                if name.startswith(self.prefix) and not name.endswith(SHARED)
            }
        )

    def inner_name(self, published: str) -> str:
        name = published.removeprefix(self.prefix)
        own = name.startswith(("enorm", "hnorm", "eh_proj", "shared_head"))
        return name if own else "layer." + name

    def published_parameters(self) -> dict[str, Tensor]:
        module = {
            self.prefix + name.removeprefix("layer."): value
            for name, value in self.module.named_parameters()
        }
        return dict(self.main.named_parameters()) | module

    def both_logits(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of the next token [tokens, vocab], and of the one after it [tokens - 1, vocab]."""
        around_norm: list[Tensor] = []
        hook = self.main.model.norm.register_forward_hook(
            lambda _, given, result: around_norm.extend((given[0][0], result[0]))
        )
        logits = self.main(tokens[None], use_cache=False).logits[0]
        hook.remove()
        hidden = around_norm[self.hidden_after_norm]
        return logits, self.module(self.main, hidden[:-1], tokens)

    def losses(self, documents: list[Tensor]) -> dict[str, Tensor]:
        """`loss` is main_loss + 0.3 mtp_loss."""
        main, second = [], []
        for tokens in documents:
            logits, after = self.both_logits(tokens)
            main.append(functional.cross_entropy(logits[:-1], tokens[1:], reduction="none"))
            second.append(functional.cross_entropy(after[:-1], tokens[2:], reduction="none"))
        losses = {"main_loss": torch.cat(main).mean(), "mtp_loss": torch.cat(second).mean()}
        return losses | {"loss": losses["main_loss"] + WEIGHT * losses["mtp_loss"]}
