"""Checks a tokenizer that `minke data tokenizer` trains against Hugging Face's libraries.

    python check_trained_tokenizer.py MINKE [--vocab N] [--corpus FILE.jsonl]

MINKE is the built program. Trained on half of the lines of tokenizer_lines.py (or on the texts of FILE):
  * the merges must be those of tokenizers' BpeTrainer;
  * the ids of all lines must be those that tokenizers gives with the written tokenizer.json;
  * prompts in token shards must be those of transformers with the written chat template.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

from check_real_tokenizers import minke_ids
from tokenizer_lines import make_lines

LONGEST_PIECE = 1024  # bytes; longer ones are left out of Minke's training
CHATS = [
    [("user", "2+2?"), ("assistant", "4")],
    [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello!"), ("user", "1+1?"), ("assistant", "2")],
    [("system", "One."), ("user", "अ १२"), ("system", "Two."), ("user", "鲸鱼\n\n  x"), ("assistant", "أهلا")],
    [("user", "a"), ("assistant", "<thought>b</think>\n\nc"), ("user", " d "), ("assistant", "e")],
    [("user", ""), ("assistant", "nothing?"), ("assistant", "nothing."), ("user", "\n"), ("assistant", "\n")],
]


def run(*command: object) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command}: {done.stderr.strip()}")
    print(done.stderr.strip())


def check_merges(written: dict, texts: list[str]) -> bool:
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True)] + [
        pre_tokenizers.Split(Regex(stage["pattern"]["Regex"]), "isolated")
        for stage in written["pre_tokenizer"]["pretokenizers"] if stage["type"] == "Split"
    ])
    for text in texts:
        for piece, _ in split.pre_tokenize_str(text):
            if len(piece.encode()) > LONGEST_PIECE:
                raise SystemExit(f"a piece of {len(piece.encode())} bytes: Minke leaves those out, BpeTrainer does not")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(
        vocab_size=len(written["model"]["vocab"]), min_frequency=2, show_progress=False,
        special_tokens=[token["content"] for token in written["added_tokens"]],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    expected = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
    found = [merge.split(" ") for merge in written["model"]["merges"]]
    same = sum(a == b for a, b in zip(expected, found, strict=False))
    print(f"merges: {same} of {len(expected)} equal, {len(found)} found; vocabulary {'equal' if model['vocab'] == written['model']['vocab'] else 'differs'}")
    return expected == found and model["vocab"] == written["model"]["vocab"]


def check_ids(minke: str, folder: Path, lines: list[str]) -> bool:
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found = minke_ids(minke, folder, lines)
    expected = [reference.encode(line, add_special_tokens=False).ids for line in lines]
    same = sum(a == b for a, b in zip(expected, found, strict=True))
    tokens, size = sum(map(len, expected)), sum(len(line.encode()) for line in lines)
    print(f"ids: {same} of {len(lines)} lines equal, {tokens} tokens, {size / tokens:.2f} bytes a token")
    return same == len(lines)


def read_shard(path: Path) -> list[tuple[list[int], int, int]]:
    data = path.read_bytes()
    tokens, documents, _ = struct.unpack_from("<QQQ", data, len(data) - 24)
    ids = struct.unpack_from(f"<{tokens}H", data, 24)
    index = len(data) - 24 - 24 * documents
    entries = [struct.unpack_from("<QIII", data, index + 24 * i) for i in range(documents)]
    return [(list(ids[begin:begin + count]), first, last) for begin, count, first, last in entries]


def check_chats(minke: str, folder: Path) -> bool:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected, lines = [], []
    for chat in CHATS:
        messages = [{"role": role, "content": content} for role, content in chat]
        lines.append(json.dumps({"messages": messages}) + "\n")
        for i, message in enumerate(messages):
            if message["role"] == "assistant":
                text = tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True)
                expected.append(tokenizer(text, add_special_tokens=False)["input_ids"])
    (folder / "chats.jsonl").write_text("".join(lines))
    run(minke, "data", "tokens", folder / "chats.jsonl", "--tokenizer", folder, "-o", folder / "chats.shard")
    found = [ids[:first] for ids, first, _ in read_shard(folder / "chats.shard")]
    same = sum(a == b for a, b in zip(expected, found, strict=True))
    print(f"prompts: {same} of {len(expected)} equal")
    bos = tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    return same == len(expected) and bos


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minke")
    parser.add_argument("--vocab", type=int, default=1500)
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    lines = [line for line in make_lines() if line]
    texts = [json.loads(line)["text"] for line in options.corpus.read_text().splitlines()] if options.corpus else lines[::2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        run(options.minke, "data", "tokenizer", folder, folder / "texts.jsonl", "--vocab", options.vocab, "--bytes", 1 << 40)
        written = json.loads((folder / "tokenizer.json").read_text())
        results = [check_merges(written, texts), check_ids(options.minke, folder, lines), check_chats(options.minke, folder)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
