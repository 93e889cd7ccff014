#!/usr/bin/env python3
"""Tests of check_layers.py: a small tree that is right, and one wrong thing at a time."""
import tempfile
import unittest
from pathlib import Path

from check_layers import Checker

LAYERS = """# comment
base/core:
math/ops: base/core
serve/engine: base/core
apps: base/core math/ops serve/engine
"""
TREE = {
    "LAYERS": LAYERS,
    "src/base/core/error.h": "#include <string>\n",
    "src/base/core/error.cc": '#include "base/core/error.h"\n',
    "src/math/ops/ops.h": '#include "base/core/error.h"\n',
    "src/math/ops/avx2/add.cc": '#include "math/ops/ops.h"\n#include <immintrin.h>\n',
    "src/serve/engine/engine.h": '#include "base/core/error.h"\n',
    "src/serve/engine/plan.h": '#include "serve/engine/engine.h"\n',
    "src/serve/engine/engine.cc": '#include "serve/engine/plan.h"\n',
    "src/apps/main.cc": '#include "serve/engine/engine.h"\n#include "math/ops/ops.h"\n'
                        '#include "base/core/error.h"\n',
}


def findings(changes):
    """What the checker reports of TREE with some files replaced, added, or (None) removed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**TREE, **changes}.items():
            if text is not None:
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return Checker(folder).run()


class CheckLayersTest(unittest.TestCase):
    def expect(self, start, changes):
        found = findings(changes)
        self.assertTrue(any(line.startswith(start) for line in found), f"{start!r} not in {found}")

    def test_a_tree_in_order_has_no_findings(self):
        self.assertEqual(findings({}), [])

    def test_an_include_of_a_folder_that_is_not_named(self):
        self.expect("src/base/core/error.cc:2: layer: base/core may not include math/ops", {
            "src/base/core/error.cc": '#include "base/core/error.h"\n#include "math/ops/ops.h"\n'})

    def test_a_folder_that_layers_does_not_name(self):
        self.expect("src/math/extra/x.cc:1: folder:", {"src/math/extra/x.cc": ""})

    def test_a_file_outside_all_folders(self):
        self.expect("src/math/x.h:1: folder:", {"src/math/x.h": ""})

    def test_a_line_without_sources(self):
        self.expect("LAYERS:5: empty:", {"LAYERS": LAYERS.replace("apps:", "learn/rl:\napps:")})

    def test_a_name_that_stands_further_down(self):
        self.expect("LAYERS:2: order:", {"LAYERS": LAYERS.replace("core:\n", "core: math/ops\n")})

    def test_a_folder_that_names_itself(self):
        self.expect("LAYERS:2: itself:", {"LAYERS": LAYERS.replace("core:\n", "core: base/core\n")})

    def test_a_grant_that_no_file_uses(self):
        self.expect("LAYERS:4: unused: serve/engine includes nothing of base/core", {
            "src/serve/engine/engine.h": ""})
        self.expect("LAYERS:5: unused: apps includes nothing of math/ops", {
            "src/apps/main.cc": '#include "serve/engine/engine.h"\n#include "base/core/error.h"\n'})

    def test_a_grant_that_only_a_test_uses(self):
        self.assertEqual(findings({
            "src/serve/engine/engine.h": "",
            "src/serve/engine/engine_test.cc": '#include "base/core/error.h"\n'}), [])

    def test_a_folder_with_two_lines(self):
        self.expect("LAYERS:6: twice:", {"LAYERS": LAYERS + "apps:\n"})

    def test_a_band_out_of_order(self):
        self.expect("LAYERS:6: band: text/chat stands below apps/", {
            "LAYERS": LAYERS + "text/chat:\n", "src/text/chat/a.cc": ""})

    def test_a_band_that_does_not_exist(self):
        self.expect("LAYERS:6: band:", {"LAYERS": LAYERS + "misc/a:\n", "src/misc/a/a.cc": ""})

    def test_a_line_that_is_none(self):
        self.expect("LAYERS:6: syntax:", {"LAYERS": LAYERS + "learn/rl base/core\n"})

    def test_a_ring_of_headers(self):
        self.expect("src/base/core/b.h:1: cycle: base/core/a.h -> base/core/b.h -> base/core/a.h", {
            "src/base/core/a.h": '#include "base/core/b.h"\n',
            "src/base/core/b.h": '#include "base/core/a.h"\n'})

    def test_an_include_that_is_not_written_from_src(self):
        self.expect("src/base/core/error.cc:1: path:", {
            "src/base/core/error.cc": '#include "error.h"\n'})

    def test_an_include_of_the_project_in_angle_brackets(self):
        self.expect("src/base/core/error.cc:1: quotes:", {
            "src/base/core/error.cc": "#include <base/core/error.h>\n"})

    def test_an_include_of_a_source_file(self):
        self.expect("src/base/core/a.cc:1: source:", {
            "src/base/core/a.cc": '#include "base/core/error.cc"\n'})

    def test_product_code_that_includes_a_test_header(self):
        self.expect("src/base/core/error.cc:1: test:", {
            "src/base/core/a_test.h": "",
            "src/base/core/error.cc": '#include "base/core/a_test.h"\n'})


if __name__ == "__main__":
    unittest.main()
