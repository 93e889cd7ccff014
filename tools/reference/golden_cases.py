"""The tiny models of tests/golden/models: every family, routing kind and rope scaling that Minke runs.

Shapes are as small as the checks allow. Original context lengths are 32, so that most of the second prompt (96 tokens) lies past
them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import transformers

VOCAB = 96
HIDDEN = 32
COMMON = {
    "vocab_size": VOCAB,
    "hidden_size": HIDDEN,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": None,
    "max_position_embeddings": 1280,
}


@dataclass(frozen=True)
class Case:
    """One kind of model. `config` makes its configuration for a seed."""

    name: str
    architecture: str
    config: Callable[[int], transformers.PretrainedConfig]
    seeds: tuple[int, ...] = (0, 1, 2)
    # Keys of published config.json files that transformers does not write.
    published_keys: dict = field(default_factory=dict)
    fused_expert_seeds: tuple[int, ...] = ()
    # Sizes of random weights relative to 1/sqrt(fan in), by a part of the tensor's name; the first that matches counts.
    gains: tuple[tuple[str, float], ...] = ()
    # deepseek, deepseek-random, mimo: adds the tensors of a multi-token prediction module to the first seed
    mtp: str = ""
    fp8: bool = False


def yarn(factor: float, theta: float = 10000.0, **more: float) -> dict:
    return {
        "rope_type": "yarn",
        "rope_theta": theta,
        "factor": factor,
        "original_max_position_embeddings": 32,
        **more,
    }


def plain_rope(theta: float) -> dict:
    return {"rope_type": "default", "rope_theta": theta}


def _deepseek_shape(layers: int) -> dict:
    """One dense layer, then layers of experts."""
    return {
        **COMMON,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 24,
        "moe_intermediate_size": 16,
        "first_k_dense_replace": 1,
        # All different, so that no width can stand in for another.
        "kv_lora_rank": 24,
        "qk_nope_head_dim": 12,
        "qk_rope_head_dim": 16,
        "v_head_dim": 20,
        "rms_norm_eps": 1e-6,
    }


def _v2_lite(seed: int) -> transformers.PretrainedConfig:
    return transformers.DeepseekV2Config(
        **_deepseek_shape(layers=3 if seed == 0 else 2),
        q_lora_rank=None,
        n_routed_experts=8,
        num_experts_per_tok=3,
        n_shared_experts=2,
        n_group=1,
        topk_group=1,
        topk_method="greedy",
        norm_topk_prob=False,
        routed_scaling_factor=1.0,
        rope_parameters=yarn(40, mscale=0.707, mscale_all_dim=0.707, beta_fast=32, beta_slow=1),
    )


def _v2(seed: int) -> transformers.PretrainedConfig:
    return transformers.DeepseekV2Config(
        **_deepseek_shape(layers=2),
        q_lora_rank=28,
        n_routed_experts=8,
        num_experts_per_tok=3,
        n_shared_experts=2,
        n_group=4,
        topk_group=2,
        topk_method="group_limited_greedy",
        norm_topk_prob=False,
        routed_scaling_factor=16.0,
        # Betas other than the usual 32 and 1 give a ramp of several steps with so few frequencies.
        rope_parameters=yarn(
            40, 1000.0, mscale=1.0, mscale_all_dim=1.0, beta_fast=4, beta_slow=0.25
        ),
    )


def _v3(seed: int) -> transformers.PretrainedConfig:
    return transformers.DeepseekV3Config(
        **_deepseek_shape(layers=2),
        q_lora_rank=28,
        n_routed_experts=16,
        num_experts_per_tok=4,
        n_shared_experts=1,
        n_group=4,
        topk_group=2,
        norm_topk_prob=True,
        routed_scaling_factor=2.5,
        num_mtp_layers=1 if seed == 0 else 0,
        rope_parameters=yarn(40, mscale=1.0, mscale_all_dim=1.0, beta_fast=32, beta_slow=1),
    )


def _v3_fp8(seed: int) -> transformers.PretrainedConfig:
    shape = {
        **_deepseek_shape(layers=2),
        "hidden_size": 160,
        "intermediate_size": 136,
        "moe_intermediate_size": 20,
        "kv_lora_rank": 128,
        "qk_nope_head_dim": 64,
        "v_head_dim": 64,
    }
    return transformers.DeepseekV3Config(
        **shape,
        q_lora_rank=96,
        n_routed_experts=8,
        num_experts_per_tok=3,
        n_shared_experts=1,
        n_group=4,
        topk_group=2,
        norm_topk_prob=True,
        routed_scaling_factor=2.5,
        num_mtp_layers=0,
        rope_parameters=yarn(40, mscale=1.0, mscale_all_dim=1.0, beta_fast=32, beta_slow=1),
    )


def _eps(seed: int, usual: float) -> float:
    """The published value, or for the last seed one so large that ignoring it shows."""
    return 1e-3 if seed == 2 else usual


def _dense_shape(heads: int = 4, kv_heads: int = 2) -> dict:
    return {
        **COMMON,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": 24,
    }


def _llama(seed: int) -> transformers.PretrainedConfig:
    return transformers.LlamaConfig(
        **_dense_shape(heads=2, kv_heads=1),
        rms_norm_eps=_eps(seed, 1e-5),
        tie_word_embeddings=False,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    )


def _smollm(seed: int) -> transformers.PretrainedConfig:
    shape = _dense_shape(heads=3, kv_heads=1) | {"hidden_size": 36}
    return transformers.LlamaConfig(
        **shape,
        rms_norm_eps=_eps(seed, 1e-5),
        tie_word_embeddings=True,
        rope_parameters=plain_rope(1e5),
    )


def _qwen2(seed: int) -> transformers.PretrainedConfig:
    return transformers.Qwen2Config(
        **_dense_shape(),
        rms_norm_eps=_eps(seed, 1e-6),
        tie_word_embeddings=False,
        rope_parameters=plain_rope(1e4 if seed == 0 else 1e6),
    )


def _mimo(seed: int) -> transformers.PretrainedConfig:
    return transformers.Qwen2Config(
        **_dense_shape(),
        rms_norm_eps=_eps(seed, 1e-5),
        tie_word_embeddings=False,
        rope_parameters=plain_rope(6.4e5),
    )


def _qwen3(seed: int) -> transformers.PretrainedConfig:
    return transformers.Qwen3Config(
        **_dense_shape(),
        head_dim=12,
        rms_norm_eps=_eps(seed, 1e-6),
        tie_word_embeddings=False,
        rope_parameters=plain_rope(1e6),
    )


def _qwen3_yarn(seed: int) -> transformers.PretrainedConfig:
    return transformers.Qwen3Config(
        **_dense_shape(heads=2, kv_heads=1),
        head_dim=16,
        rms_norm_eps=_eps(seed, 1e-6),
        tie_word_embeddings=False,
        rope_parameters=yarn(4.0),
    )


_MOE_KEYS = {"moe_layer_freq": 1, "aux_loss_alpha": 0.001, "seq_aux": True, "ep_size": 1}
_V3_KEYS = _MOE_KEYS | {"scoring_func": "sigmoid", "topk_method": "noaux_tc"}
_WINDOW_KEYS = {"use_sliding_window": False, "sliding_window": 16, "max_window_layers": 1}
# Queries and keys large enough that attention is far from uniform.
_MLA_GAINS = (
    ("q_proj", 1.6),
    ("q_b_proj", 1.6),
    ("kv_a_proj_with_mqa", 1.5),
    ("gate.weight", 1.5),
    ("lm_head", 1.8),
)
_GQA_GAINS = (("q_proj.weight", 1.6), ("k_proj.weight", 1.6), ("lm_head", 1.8))
# With tied embeddings the rows must be small, or each position predicts its own token.
_TIED_GAINS = (("q_proj.weight", 1.6), ("k_proj.weight", 1.6), ("embed_tokens", 0.3))

CASES = [
    Case("llama", "LlamaForCausalLM", _llama, gains=_GQA_GAINS),
    Case("qwen2", "Qwen2ForCausalLM", _qwen2, published_keys=_WINDOW_KEYS, gains=_GQA_GAINS),
    Case(
        "deepseek-v2-lite",
        "DeepseekV2ForCausalLM",
        _v2_lite,
        published_keys=_MOE_KEYS | {"scoring_func": "softmax"},
        fused_expert_seeds=(1,),
        gains=_MLA_GAINS,
    ),
    Case(
        "deepseek-v3",
        "DeepseekV3ForCausalLM",
        _v3,
        published_keys=_V3_KEYS,
        fused_expert_seeds=(1,),
        gains=_MLA_GAINS,
        mtp="deepseek",
    ),
    Case(
        "deepseek-v3-mtp",
        "DeepseekV3ForCausalLM",
        _v3,
        seeds=(0,),
        published_keys=_V3_KEYS,
        gains=_MLA_GAINS,
        mtp="deepseek-random",
    ),
    Case(
        "deepseek-v2",
        "DeepseekV2ForCausalLM",
        _v2,
        published_keys=_MOE_KEYS | {"scoring_func": "softmax"},
        fused_expert_seeds=(1,),
        # Routed weights sum to about 10 here; without smaller experts the rest of the model would not matter.
        gains=(("mlp.experts.down_proj", 0.15), *_MLA_GAINS),
    ),
    Case(
        "deepseek-v3-fp8",
        "DeepseekV3ForCausalLM",
        _v3_fp8,
        seeds=(0,),
        published_keys=_V3_KEYS,
        gains=_MLA_GAINS,
        fp8=True,
    ),
    Case("smollm", "LlamaForCausalLM", _smollm, gains=_TIED_GAINS),
    Case("qwen3", "Qwen3ForCausalLM", _qwen3, published_keys=_WINDOW_KEYS, gains=_GQA_GAINS),
    Case("qwen3-yarn", "Qwen3ForCausalLM", _qwen3_yarn, gains=_GQA_GAINS),
    Case(
        "mimo",
        "Qwen2ForCausalLM",
        _mimo,
        published_keys=_WINDOW_KEYS | {"attention_bias": True},
        gains=_GQA_GAINS,
        mtp="mimo",
    ),
]
