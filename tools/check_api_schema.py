#!/usr/bin/env python3
"""Holds JSON that a server has sent against the schemas of an OpenAPI file.

usage: check_api_schema.py OPENAPI FILE... [--schema NAME]

Each line of a FILE is the name of a schema, a tab and a JSON text; with --schema it is a JSON text,
or a line of a stream of events, of which those that begin with "data: " count. OPENAPI is in
version 3.1 and in JSON. Prints `file:line: where: what` for each finding, then how many texts were
looked at, and exits with 1 if there were findings or no texts. Needs the package jsonschema.
"""
import argparse
import json
import sys

import jsonschema

ROOT = "#/components/schemas/"


class Checker:
    def __init__(self, document):
        self.document = document
        self.validators = {}

    def schema(self, name):
        if name not in self.document["components"]["schemas"]:
            raise SystemExit(f"{name}: the OpenAPI file has no such schema")
        return self.document["components"]["schemas"][name]

    def narrowed(self, name, value):
        """The alternative of a schema that the value says it is of, so that findings name the
        member that is wrong and not the alternatives that were never meant."""
        schema = self.schema(name)
        key = schema.get("discriminator", {}).get("propertyName")
        if key is None or not isinstance(value, dict):
            return name
        for alternative in schema.get("oneOf", schema.get("anyOf", [])):
            inner = alternative["$ref"].removeprefix(ROOT)
            members = self.schema(inner).get("properties", {})
            if value.get(key) in members.get(key, {}).get("enum", []):
                return inner
        return name

    def findings(self, name, value):
        name = self.narrowed(name, value)
        if name not in self.validators:
            self.validators[name] = jsonschema.Draft202012Validator(
                {**self.document, "$ref": ROOT + name})
        for error in self.validators[name].iter_errors(value):
            deepest = jsonschema.exceptions.best_match([error])
            yield f"{name}{deepest.json_path[1:]}: {deepest.message[:300]}"


def texts(path, schema):
    """(line number, schema, JSON text) of each text in a file."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if schema is None:
                name, _, text = line.partition("\t")
                yield number, name, text
            elif line.startswith("data: ") or line.startswith("{"):
                yield number, schema, line.removeprefix("data: ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("openapi")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--schema")
    options = parser.parse_args()
    with open(options.openapi, encoding="utf-8") as file:
        checker = Checker(json.load(file))
    looked_at = found = 0
    for path in options.files:
        for number, name, text in texts(path, options.schema):
            looked_at += 1
            for finding in checker.findings(name, json.loads(text)):
                found += 1
                print(f"{path}:{number}: {finding}")
    print(f"{looked_at} texts, {found} findings")
    return 1 if found or not looked_at else 0


if __name__ == "__main__":
    sys.exit(main())
