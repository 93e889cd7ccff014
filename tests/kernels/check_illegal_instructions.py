#!/usr/bin/env python3
"""Checks that code which runs on every x86-64 processor holds no newer instruction.

usage: check_illegal_instructions.py BUILD_DIR

Disassembles the objects of the libraries under BUILD_DIR. Those of avx512, avx512_bf16 and amx in
math/kernels and apps/measure/chains may use all they like, those of avx_vnni AVX2 and the products
of AVX-VNNI, those of avx2 neither these nor AVX-512, all others nothing beyond SSE2. Objects of the
instruction-set folders must not define weak symbols either: the linker could choose such a function
for everybody. Prints what it finds and exits with 1; with 2 if there was nothing to check.
"""
import re
import subprocess
import sys
from pathlib import Path

# AVX instructions are those whose names begin with v, but for a few of the base set.
AVX = re.compile(r"^v(?!er[rw]$|mcall$|mlaunch$|mresume$)")
AVX512_OPERAND = re.compile(r"%zmm|%k[0-7]\b|%[xy]mm(1[6-9]|2\d|3[01])\b")
# From SSE3, SSSE3, SSE4, AES, BMI and others; tzcnt is left out, since it is also how the older
# `rep bsf` is shown.
NEWER = re.compile(
    r"^(p(abs|sign|hadd|hsub|maddubs|mulhrs|shufb|alignr|blend|ext[rdq]|insr[bdq]|minsb|minu[wd]"
    r"|minsd|maxsb|maxu[wd]|maxsd|movsx|movzx|mulld|muldq|test|ackusdw|cmpeqq|cmpgtq|cmp[ei]str"
    r"|clmul|dep|opcnt)|round[ps][sd]|h(add|sub)p|addsub|movddup|movs[hl]dup|lddqu|dpp[sd]|blendv?p"
    r"|insertps|extractps|aes|sha\d|crc32|andn$|bextr|bls|bzhi|mulx|rorx|s[ah][lr]x|lzcnt|movbe)")
# Products of AVX-VNNI have the names of those of AVX-512; objdump tells them by {vex}.
INSTRUCTION = re.compile(
    r"^\s+[0-9a-f]+:\t(?:rep |lock )?(?P<vex>\{vex\} )?(?P<name>\S+)(?P<operands>.*)$")
VNNI = re.compile(r"^vpdp")
SYMBOL = re.compile(r"^[0-9a-f]+ <(?P<name>.+)>:$")
WEAK = re.compile(r"^[0-9a-f]* W (?P<name>.+)$")

# Instruction-set folders, and what they may use.
LEVELS = {"avx2": "avx2", "avx_vnni": "avx_vnni", "avx512": "avx512", "avx512_bf16": "avx512",
          "amx": "avx512"}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def level_of(path):
    folder = path.parent.as_posix()
    for name, level in LEVELS.items():
        if folder.endswith((f"/math/kernels/{name}", f"/apps/measure/chains/{name}")):
            return level
    return "base"


def too_new(instruction, level):
    name = instruction["name"]
    if level == "avx512":
        return False
    if level == "base":
        return bool(AVX.match(name) or NEWER.match(name))
    if VNNI.match(name):
        return level != "avx_vnni" or not instruction["vex"]
    return bool(AVX512_OPERAND.search(instruction["operands"]))


def instruction_findings(path, level):
    symbol = "?"
    for line in output_of("objdump", "-d", "-C", "--no-show-raw-insn", path).splitlines():
        if match := SYMBOL.match(line):
            symbol = match["name"]
        elif match := INSTRUCTION.match(line):
            if too_new(match, level):
                yield f"{path.name}: too new for {level}: {symbol}: {line.strip()}"


def symbol_findings(path):
    for line in output_of("nm", "-C", "--defined-only", path).splitlines():
        if match := WEAK.match(line):
            yield f"{path.name}: weak symbol in an instruction-set folder: {match['name']}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    objects = Path(sys.argv[1]) / "CMakeFiles"
    paths = sorted(objects.glob("minke_*.dir/src/**/*.o"))
    checked = dict.fromkeys(("base", *LEVELS.values()), 0)
    found = []
    for path in paths:
        level = level_of(path)
        checked[level] += 1
        found += instruction_findings(path, level)
        if level != "base":
            found += symbol_findings(path)
    # Kernels of levels that machines lack, compiled by the flags of another for their tests.
    for name in ("emulated_amx", "evex_avx_vnni"):
        for path in objects.glob(f"kernels_test.dir/**/{name}.cc.o"):
            found += symbol_findings(path)
    for line in found[:50]:
        print(line)
    print(", ".join(f"{count} {level}" for level, count in checked.items()), "objects checked,",
          len(found), "findings")
    if 0 in checked.values():
        print("expected objects of every level; is this a build folder?")
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
