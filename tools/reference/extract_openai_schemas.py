#!/usr/bin/env python3
"""Takes from OpenAI's published OpenAPI file the schemas of what a server answers.

usage: extract_openai_schemas.py OPENAPI.json OUTPUT.json

The output is one JSON Schema (draft 2020-12) whose $defs hold the schemas named below and all that
they refer to, without prose and examples. The OpenAPI file is under the MIT license; the output
says so.
"""
import argparse
import json
from pathlib import Path

ROOTS = ["CreateChatCompletionResponse", "CreateChatCompletionStreamResponse",
         "CreateCompletionResponse", "Response", "ResponseStreamEvent", "ListModelsResponse",
         "Model", "ErrorResponse"]
PROSE = {"description", "example", "examples", "title", "deprecated", "externalDocs", "default",
         "discriminator", "nullable"}
PREFIX = "#/components/schemas/"


def nullable(schema):
    """OpenAPI 3.0's way to allow null, in the words of JSON Schema."""
    if "enum" in schema and None not in schema["enum"]:
        schema = {**schema, "enum": [*schema["enum"], None]}
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if "type" in schema:
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def without_prose(schema):
    """A schema as a validator needs it. Names of properties are never taken for keywords."""
    if isinstance(schema, list):
        return [without_prose(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in PROSE or key.startswith("x-"):
            continue
        if key == "properties":
            result[key] = {name: without_prose(part) for name, part in value.items()}
        elif key in ("enum", "const", "required"):
            result[key] = value
        elif key == "$ref":
            result[key] = "#/$defs/" + value.removeprefix(PREFIX)
        elif key == "$recursiveAnchor":
            continue
        elif key == "$recursiveRef":
            raise SystemExit(f"$recursiveRef {value} was not resolved")
        else:
            result[key] = without_prose(value)
    return nullable(result) if schema.get("nullable") else result


def resolved(schema, name):
    """$recursiveRef '#' means the schema that it stands in, here always by its name."""
    if isinstance(schema, list):
        return [resolved(part, name) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$recursiveRef") == "#":
        return {"$ref": PREFIX + name}
    return {key: resolved(part, name) for key, part in schema.items()}


def references(schema):
    if isinstance(schema, list):
        for part in schema:
            yield from references(part)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix("#/$defs/")
            else:
                yield from references(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("openapi", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    document = json.loads(arguments.openapi.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    taken, left = {}, list(ROOTS)
    while left:
        name = left.pop()
        if name in taken:
            continue
        taken[name] = without_prose(resolved(schemas[name], name))
        left += references(taken[name])
    info = document["info"]
    head = {"$comment": f"From the OpenAI API's OpenAPI file, version {info['version']} "
                        f"(Copyright OpenAI, {info['license']['name']} license), "
                        "by tools/reference/extract_openai_schemas.py",
            "$schema": "https://json-schema.org/draft/2020-12/schema"}
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    lines.append('  "$defs": {')
    lines.append(",\n".join(f"    {json.dumps(name)}: {json.dumps(taken[name])}"
                            for name in sorted(taken)))
    lines.append("  }")
    arguments.output.write_text("{\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(taken)} schemas")


if __name__ == "__main__":
    main()
