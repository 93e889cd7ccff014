"""Schemas such as callers of tools send, and a test of whether an answer meets its own."""

from __future__ import annotations

import json
import random
from pathlib import Path

NAMES = ["query", "city", "country", "unit", "date", "limit", "email", "path", "tags", "price",
         "user_id", "title", "state", "amount", "currency", "language", "active", "note"]


def _leaf(rng: random.Random) -> dict:
    return rng.choice([
        lambda: {"type": "string", "minLength": 1, "maxLength": rng.choice([8, 20])},
        lambda: {"type": "string",
                 "enum": rng.sample(["celsius", "kelvin", "low", "high", "EUR"], 3)},
        lambda: {"type": "string", "pattern": rng.choice(["^[A-Z]{2,3}$", "^[a-z0-9_-]{1,12}$",
                                                          "^\\d{4}-\\d{2}$"])},
        lambda: {"type": "string", "format": rng.choice(["date", "ipv4", "uuid"])},
        lambda: {"type": "integer", "minimum": 1, "maximum": rng.choice([5, 100, 65535])},
        lambda: {"type": "number", "minimum": -90, "exclusiveMaximum": 90.5},
        lambda: {"type": "boolean"},
        lambda: {"type": ["string", "null"], "maxLength": 12},
        lambda: {"const": rng.choice(["v1", 2, None])},
    ])()


def _schema(rng: random.Random, depth: int) -> dict:
    kind = rng.random()
    if depth == 0 or kind < 0.55:
        return _leaf(rng)
    if kind < 0.75:
        return {"type": "array", "items": _schema(rng, depth - 1), "minItems": rng.choice([0, 1]),
                "maxItems": 3}
    if kind < 0.85:
        return {"anyOf": [_leaf(rng), _schema(rng, depth - 1)]}
    return tool_object(rng, depth - 1)


def tool_object(rng: random.Random, depth: int = 2) -> dict:
    """An object as the parameters of a function are: most members required, no others."""
    names = rng.sample(NAMES, rng.randrange(1, 6))
    properties = {name: _schema(rng, depth) for name in names}
    for value in properties.values():
        if rng.random() < 0.5:
            value["description"] = "what the function needs"
    required = [name for name in names if rng.random() < 0.8]
    return {"type": "object", "properties": properties, "required": required,
            "additionalProperties": False}


def suite(folder: Path) -> list:
    """All schemas of the JSON Schema Test Suite that are objects."""
    found = []
    for file in sorted(folder.rglob("*.json")):
        for group in json.loads(file.read_text(encoding="utf-8")):
            if isinstance(group["schema"], dict):
                found.append(group["schema"])
    return found


def keywords(schema: object) -> set[str]:
    """All names of members, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema).union(*map(keywords, schema.values()))
