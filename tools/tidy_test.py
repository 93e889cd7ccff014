#!/usr/bin/env python3
"""Tests of tidy.py: a small tree that is right, and one wrong thing at a time."""
import tempfile
import unittest
from pathlib import Path

from cpp_scan import blank_comments_and_strings, functions
from tidy import Tidy

TREE = {
    "src/base/core/error.h": "#pragma once\n\nnamespace minke {\nvoid f();\n}\n",
    "src/base/core/error.cc": '#include "base/core/error.h"\n// Why f stops.\nvoid f() {}\n',
    "src/base/cpu/isa.cc": 'const char* wish() { return std::getenv("MINKE_ISA"); }\n',
    "src/math/kernels/avx2/add.cc": '#include <immintrin.h>\n#include "math/kernels/kernels.h"\n',
    "src/text/chat/chat.cc": 'const char* kUser = "<\uff5cUser\uff5c>";\n',
    "README.md": "# Name\n",
}


def tidy(changes):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**TREE, **changes}.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        result = Tidy(folder)
        result.run()
        return result


def long_function(lines):
    return "void f() {\n" + "  g();\n" * (lines - 2) + "}\n"


class TidyTest(unittest.TestCase):
    def expect(self, start, name, text):
        found = tidy({name: text}).findings
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f"{name}:{start}"), found)

    def expect_none(self, name, text):
        self.assertEqual(tidy({name: text}).findings, [])

    def test_a_tree_in_order_has_no_findings(self):
        self.assertEqual(tidy({}).findings, [])

    def test_file_length(self):
        self.expect("1: length", "src/a/a.cc", "int x;\n" * 601)
        self.expect_none("src/a/a.cc", "int x;\n" * 600)
        self.assertEqual(len(tidy({"src/a/a.cc": "int x;\n" * 401}).warnings), 1)

    def test_header_length(self):
        self.expect("1: length", "src/a/a.h", "#pragma once\n" + "int x;\n" * 320)

    def test_function_length(self):
        self.expect("1: function: f() has 91 lines", "src/a/a.cc", long_function(91))
        self.expect_none("src/a/a.cc", long_function(90))
        self.assertEqual(len(tidy({"src/a/a.cc": long_function(71)}).warnings), 1)

    def test_function_length_in_kernels(self):
        self.expect_none("src/math/kernels/scalar/a.cc", long_function(150))
        self.expect("1: function", "src/math/kernels/scalar/a.cc", long_function(151))

    def test_columns_count_characters(self):
        self.expect("1: columns", "src/a/a.cc", "//" + "x" * 99 + "\n")
        self.expect_none("src/text/chat/b.cc", "//" + "\uff5c" * 98 + "\n")
        self.expect_none("src/learn/tasks/b.cc", "//" + "\u0938\u0941" * 98 + "\n")
        self.expect("1: columns: 101", "src/learn/tasks/b.cc", "//" + "\u0938\u0941" * 99 + "\n")
        self.expect_none("src/a/a.cc", 'f(R"(' + "x" * 99 + ')");\n')

    def test_white_space(self):
        self.expect("1: space", "src/a/a.cc", "int x; \n")
        self.expect("1: tab", "src/a/a.cc", "int\tx;\n")
        self.expect("1: space", "README.md", "text\r\n")
        self.expect("1: end", "README.md", "text")

    def test_characters(self):
        self.expect("1: ascii: U+00D7", "src/a/a.cc", "// 2 \u00d7 3\n")
        self.expect_none("src/a/a_test.cc", 'const char* k = "\u00d7";\n')
        self.expect_none("docs/a.md", "2 \u00d7 3\n")

    def test_header_guard(self):
        self.expect("1: guard", "src/a/a.h", "int x;\n")

    def test_getenv(self):
        self.expect("1: getenv", "src/a/a.cc", 'const char* f() { return getenv("X"); }\n')
        self.expect_none("src/apps/colour.cc", 'const char* f() { return getenv("NO_COLOR"); }\n')
        self.expect_none("src/a/a.cc", "// getenv(X) is read elsewhere.\n")
        both = {f"src/apps/{n}.cc": 'const char* f() { return getenv("X"); }\n' for n in "ab"}
        self.assertEqual([f.split(":")[0] for f in tidy(both).findings], ["src/apps/b.cc"])

    def test_todo(self):
        word = "TO" + "DO"
        self.expect("1: todo", "src/a/a.cc", f"// {word}: more\n")

    def test_code_in_comments(self):
        for line in ["x = y + 1;", "return x;", "if (x) {", "}", "#include <a>", "run(a, b);",
                     "std::string s;", "std::vector<int> v = {1};", "a.b[2] += c;"]:
            self.expect("1: dead", "src/a/a.cc", f"// {line}\n")

    def test_prose_in_comments(self):
        for line in ["y = W x, row by row; see below", "return value: bytes", "x = y",
                     "if there is none, empty;",
                     "std::shared_ptr to keep it, or a view;", "for each row (of M) one sum;",
                     "{a, b} a pair"]:
            self.expect_none("src/a/a.cc", f"// {line}\n")

    def test_preprocessor(self):
        self.expect("1: macro", "src/a/a.cc", "#define SQUARE(x) x\n")
        self.expect("1: branch", "src/a/a.cc", "#ifdef X\n#endif\n")
        self.expect_none("src/base/cpu/a.cc", "#ifdef X\n#endif\n")
        self.expect_none("src/base/core/check.h", "#pragma once\n#define CHECK(x) x\n")
        self.expect("2: using", "src/a/a.h", "#pragma once\nusing namespace std;\n")

    def test_includes(self):
        self.expect("1: isa", "src/math/kernels/avx512/a.cc", "#include <algorithm>\n")
        self.expect_none("src/math/kernels/scalar/a.cc", "#include <algorithm>\n")
        self.expect("1: test", "src/a/a.cc", '#include "a/b_test.h"\n')

    def test_folders(self):
        crowd = {f"src/a/f{i}.cc": "int x;\n" for i in range(31)}
        self.assertEqual(tidy(crowd).findings, [
            "src/a:1: folder: 31 files besides tests, the limit is 30"])
        self.assertEqual(tidy({"src/utils/a.cc": ""}).findings, [
            "src/utils:1: folder: a name that says nothing"])

    def test_paths_of_one_machine(self):
        self.expect("1: path", "README.md", "see /ho" + "me/me/notes\n")


class FunctionsTest(unittest.TestCase):
    def found(self, text):
        return [(line, lines, title) for line, lines, title
                in functions(blank_comments_and_strings(text))]

    def test_plain_functions_and_methods(self):
        self.assertEqual(self.found("namespace a {\nint f(int x) {\n  return x;\n}\n"
                                    "class B {\n public:\n  int g() const { return 1; }\n};\n}\n"),
                         [(2, 3, "f()"), (7, 1, "g()")])

    def test_member_initialisers(self):
        self.assertEqual(self.found("A::A(int x)\n    : a_{x},\n      b_(2) {\n  f();\n}\n"),
                         [(1, 5, "A::A()")])
        self.assertEqual(self.found("A::A() : a_{1} {}\nint f() {}\n"),
                         [(1, 1, "A::A()"), (2, 1, "f()")])

    def test_tables_and_lambdas_are_no_functions(self):
        self.assertEqual(self.found("const int k[] = {f(1), 2};\n"
                                    "auto g = [](int x) { return x; };\n"), [])

    def test_default_arguments_are_no_functions(self):
        self.assertEqual(self.found("class A {\n  void f(const B& b = {});\n  void g() {}\n};\n"),
                         [(3, 1, "g()")])

    def test_lambdas_belong_to_their_function(self):
        self.assertEqual(self.found("void f() {\n  run([&](int i) {\n    g(i);\n  });\n}\n"),
                         [(1, 5, "f()")])

    def test_templates_and_return_types(self):
        self.assertEqual(self.found("template <typename T>\nauto f(T x) -> int {\n  return 1;\n}\n"
                                    "template <class T>\nclass C {\n  void g() {}\n};\n"),
                         [(1, 4, "f()"), (7, 1, "g()")])

    def test_braces_in_text_do_not_count(self):
        self.assertEqual(self.found('void f() {\n  g("}{", \'{\', R"(}})");  // }\n}\n'
                                    "int h() { return 1\'000; }\n"),
                         [(1, 3, "f()"), (4, 1, "h()")])

    def test_macros_do_not_count(self):
        self.assertEqual(self.found("#define CHECK(x) \\\n  if (!(x)) { \\\n  }\nvoid f() {}\n"),
                         [(4, 1, "f()")])


if __name__ == "__main__":
    unittest.main()
