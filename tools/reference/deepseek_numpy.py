"""DeepSeek-V2 and -V3 forward pass in float64 numpy: an oracle that is independent of transformers.

Multi-head latent attention in its naive form, the three routers, shared experts. `DeepSeek` lists every choice that the
published configuration implies, so that a caller can replace one (say, the softmax scale) and see what it does to the logits.

    python deepseek_numpy.py FOLDER...    compares the logits with FOLDER/expected.safetensors
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from numpy_blocks import (
    Rope,
    Weights,
    causal_attention,
    largest_difference,
    make_rope,
    read_checkpoint,
    rms_norm,
    rope_fields,
    softmax,
    split_heads,
    swiglu,
    yarn_mscale,
)


@dataclass(frozen=True)
class Router:
    experts_per_token: int
    groups: int
    kept_groups: int
    method: str  # greedy, group_limited_greedy, noaux_tc
    scoring: str  # softmax, sigmoid
    normalize: bool
    scale: float
    excluded: float = -np.inf  # what the scores of experts in groups that lost become
    group_top: int = 1  # a group's score is the sum of this many best experts
    weigh_with_bias: bool = False


@dataclass(frozen=True)
class DeepSeek:
    layers: int
    heads: int
    low_rank_q: bool
    kv_rank: int
    nope_dims: int
    rope_dims: int
    v_dims: int
    eps: float
    softmax_scale: float
    rope: Rope
    first_moe_layer: int
    moe_every: int
    router: Router
    shared_scale: float = 1.0


@dataclass
class Trace:
    """How far each routing decision was from going the other way: [decisions]."""

    expert_margins: list[float] = field(default_factory=list)
    group_margins: list[float] = field(default_factory=list)
    used_experts: set[tuple[int, int]] = field(default_factory=set)

    def smallest_margin(self) -> float:
        return min(self.expert_margins + self.group_margins, default=np.inf)


def from_config(config: dict) -> DeepSeek:
    v3 = config["model_type"] == "deepseek_v3"
    method = config.get("topk_method") or ("noaux_tc" if v3 else "greedy")
    rope = rope_fields(config)
    nope, rope_dims = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    scale = (nope + rope_dims) ** -0.5
    if rope["rope_type"] == "yarn" and rope.get("mscale_all_dim"):
        scale *= yarn_mscale(rope["factor"], rope["mscale_all_dim"]) ** 2
    router = Router(
        experts_per_token=config["num_experts_per_tok"],
        groups=config.get("n_group") or 1,
        kept_groups=config.get("topk_group") or 1,
        method=method,
        scoring=config.get("scoring_func") or ("sigmoid" if v3 else "softmax"),
        normalize=bool(config.get("norm_topk_prob")),
        scale=config.get("routed_scaling_factor", 1.0),
        group_top=2 if method == "noaux_tc" else 1,
    )
    return DeepSeek(
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        low_rank_q=bool(config.get("q_lora_rank")),
        kv_rank=config["kv_lora_rank"],
        nope_dims=nope,
        rope_dims=rope_dims,
        v_dims=config["v_head_dim"],
        eps=config.get("rms_norm_eps", 1e-6),
        softmax_scale=scale,
        rope=make_rope(rope_dims, config, interleaved=True),
        first_moe_layer=config.get("first_k_dense_replace") or 0,
        moe_every=config.get("moe_layer_freq") or 1,
        router=router,
    )


def best(values: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` largest values; of equal ones the lower index."""
    return np.argsort(-values, kind="stable")[:count]


def margin(values: np.ndarray, count: int) -> float:
    """Distance between the last chosen value and the first that was left out."""
    ordered = np.sort(values)[::-1]
    if count >= len(ordered) or not np.isfinite(ordered[count]):
        return np.inf
    return float(ordered[count - 1] - ordered[count])


def route(
    router: Router, logits: np.ndarray, bias: np.ndarray | None, trace: Trace
) -> tuple[np.ndarray, np.ndarray]:
    """Experts and their weights for one token. logits [experts]."""
    scores = softmax(logits) if router.scoring == "softmax" else 1.0 / (1.0 + np.exp(-logits))
    choice = scores + bias if bias is not None else scores
    if router.method != "greedy" and router.groups > 1:
        grouped = choice.reshape(router.groups, -1)
        group_scores = np.sort(grouped, axis=1)[:, -router.group_top :].sum(axis=1)
        trace.group_margins.append(margin(group_scores, router.kept_groups))
        kept = best(group_scores, router.kept_groups)
        mask = np.full(router.groups, False)
        mask[kept] = True
        choice = np.where(np.repeat(mask, grouped.shape[1]), choice, router.excluded)
    chosen = best(choice, router.experts_per_token)
    trace.expert_margins.append(margin(choice, router.experts_per_token))
    weights = (choice if router.weigh_with_bias else scores)[chosen]
    if router.normalize:
        weights = weights / (weights.sum() + 1e-20)
    return chosen, weights * router.scale


def expert_weights(w: Weights, prefix: str, expert: int) -> tuple[np.ndarray, ...]:
    """gate, up, down of one expert, from fused or from one-tensor-an-expert names."""
    fused = w.get(prefix + "experts.gate_up_proj")
    if fused is not None:
        gate, up = np.split(fused[expert], 2)
        return gate, up, w[prefix + "experts.down_proj"][expert]
    return mlp_weights(w, f"{prefix}experts.{expert}.")


def mlp_weights(w: Weights, prefix: str) -> tuple[np.ndarray, ...]:
    return tuple(w[f"{prefix}{part}_proj.weight"] for part in ("gate", "up", "down"))


def moe(
    m: DeepSeek, w: Weights, prefix: str, layer: int, x: np.ndarray, trace: Trace
) -> np.ndarray:
    """Routed plus shared experts. x [tokens, hidden]."""
    bias = w.get(prefix + "gate.e_score_correction_bias")
    logits = x @ w[prefix + "gate.weight"].T
    out = m.shared_scale * swiglu(x, *mlp_weights(w, prefix + "shared_experts."))
    for t in range(len(x)):
        chosen, weights = route(m.router, logits[t], bias, trace)
        for expert, weight in zip(chosen, weights, strict=True):
            trace.used_experts.add((layer, int(expert)))
            out[t] += weight * swiglu(x[t], *expert_weights(w, prefix, int(expert)))
    return out


def attention(m: DeepSeek, w: Weights, prefix: str, x: np.ndarray) -> np.ndarray:
    """Naive multi-head latent attention over positions 0.. of x [tokens, hidden]."""
    positions = np.arange(len(x))
    if m.low_rank_q:
        low = rms_norm(
            x @ w[prefix + "q_a_proj.weight"].T, w[prefix + "q_a_layernorm.weight"], m.eps
        )
        q = low @ w[prefix + "q_b_proj.weight"].T
    else:
        q = x @ w[prefix + "q_proj.weight"].T
    q = split_heads(q, m.heads)
    q_nope, q_pe = q[..., : m.nope_dims], m.rope.rotate(q[..., m.nope_dims :], positions)

    latent = x @ w[prefix + "kv_a_proj_with_mqa.weight"].T
    c = rms_norm(latent[:, : m.kv_rank], w[prefix + "kv_a_layernorm.weight"], m.eps)
    k_pe = m.rope.rotate(latent[:, m.kv_rank :], positions)
    kv = split_heads(c @ w[prefix + "kv_b_proj.weight"].T, m.heads)
    k_nope, v = kv[..., : m.nope_dims], kv[..., m.nope_dims :]

    k = np.concatenate([k_nope, np.broadcast_to(k_pe, (m.heads, *k_pe.shape))], axis=-1)
    out = causal_attention(np.concatenate([q_nope, q_pe], axis=-1), k, v, m.softmax_scale)
    return out @ w[prefix + "o_proj.weight"].T


def decoder_layer(m: DeepSeek, w: Weights, layer: int, h: np.ndarray, trace: Trace) -> np.ndarray:
    """h [tokens, hidden] after attention and experts (or a dense network) of layer `layer`."""
    p = f"model.layers.{layer}."
    h = h + attention(m, w, p + "self_attn.", rms_norm(h, w[p + "input_layernorm.weight"], m.eps))
    x = rms_norm(h, w[p + "post_attention_layernorm.weight"], m.eps)
    if layer >= m.first_moe_layer and layer % m.moe_every == 0:
        return h + moe(m, w, p + "mlp.", layer, x, trace)
    return h + swiglu(x, *mlp_weights(w, p + "mlp."))


def last_hidden(m: DeepSeek, w: Weights, tokens: np.ndarray, trace: Trace) -> np.ndarray:
    """[tokens, hidden] of one sequence after the last layer, before the final norm."""
    h = w["model.embed_tokens.weight"][tokens]
    for layer in range(m.layers):
        h = decoder_layer(m, w, layer, h, trace)
    return h


def forward(m: DeepSeek, w: Weights, tokens: np.ndarray) -> tuple[np.ndarray, Trace]:
    """Logits [tokens, vocab] of one sequence, and how close its routing decisions were."""
    trace = Trace()
    h = last_hidden(m, w, tokens, trace)
    return rms_norm(h, w["model.norm.weight"], m.eps) @ w["lm_head.weight"].T, trace


def second_logits(
    m: DeepSeek, w: Weights, tokens: np.ndarray, hidden_after_norm: bool
) -> tuple[np.ndarray, Trace]:
    """What the multi-token prediction module says of the token after the next: logits [tokens - 1, vocab], row i from tokens 0 to
    i + 1. `hidden_after_norm` tells whether it gets the main model's hidden state after the final norm or before."""
    trace = Trace()
    h = last_hidden(m, w, tokens, trace)[:-1]
    if hidden_after_norm:
        h = rms_norm(h, w["model.norm.weight"], m.eps)
    p = f"model.layers.{m.layers}."
    embedded = rms_norm(w["model.embed_tokens.weight"][tokens[1:]], w[p + "enorm.weight"], m.eps)
    joined = np.concatenate([embedded, rms_norm(h, w[p + "hnorm.weight"], m.eps)], axis=-1)
    h = decoder_layer(m, w, m.layers, joined @ w[p + "eh_proj.weight"].T, trace)
    h = rms_norm(h, w[p + "shared_head.norm.weight"], m.eps)
    return h @ w["lm_head.weight"].T, trace


def compare(folder: Path) -> float:
    """Largest absolute difference between these logits and the recorded ones."""
    config, weights = read_checkpoint(folder)
    model = from_config(config)
    return largest_difference(folder, lambda tokens: forward(model, weights, tokens)[0])


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(f"{argument}: {compare(Path(argument)):.2e}")
