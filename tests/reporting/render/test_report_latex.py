"""The table as LaTeX. No TeX is needed: what makes LaTeX fail is looked for by a small reader of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.handmade import result, table, table1
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.types import OpenRow
from benchmark.reporting.cite import citation
from benchmark.reporting.render.full import layout
from benchmark.reporting.render.latex import escape, render

TOKENS = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)


def without_comments(text: str) -> str:
    return re.sub(r"(?m)(?<!\\)%.*$", "", text)


def check_structure(text: str) -> None:
    """Braces and environments are balanced, dollars paired, and no special character stands bare."""
    depth, open_math, tabular = 0, False, False
    environments: list[str] = []
    text = without_comments(text)
    for match in TOKENS.finditer(text):
        token = match.group()
        name = re.match(r"\{(\w+)\}", text[match.end() :])
        if token == r"\begin" and name:
            environments.append(name[1])
        elif token == r"\end" and name:
            assert environments.pop() == name[1]
        tabular = "tabular" in environments
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
        open_math ^= token == "$"
        assert token not in "#~" or token == "~"
        assert token not in "_^" or (token == "^" and open_math)
        assert token != "&" or tabular
    assert (depth, open_math, environments) == (0, False, [])


def rows_of(text: str) -> list[tuple[int, int]]:
    """Columns declared, and cells found, of each line of each tabular."""
    found = []
    for spec, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        found += [(len(spec), len(re.findall(r"(?<!\\)&", line)) + 1) for line in lines]
    return found


def test_every_line_of_a_tabular_has_as_many_cells_as_columns() -> None:
    rows = rows_of(render(layout(table1())))
    assert rows
    assert all(columns == cells for columns, cells in rows)


def test_table1_is_well_formed_and_has_the_rules_of_booktabs() -> None:
    text = render(layout(table1()))
    check_structure(text)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == text.count(r"\begin{tabular}") == 1
    assert r"vgg16/grad\_cam" in text
    assert r"95 \% interval" in text


def test_a_sign_is_a_minus_and_an_interval_has_an_en_dash() -> None:
    text = render(layout(table(result(metrics={"loc_top1": result().metrics["cls_top1"]}))))
    assert "$-$19.00 {*}" in text
    assert "29.0--33.0" in text


def test_hostile_names_and_reasons_do_not_break_it() -> None:
    name = r"\evil{$x_1^2$}&%#~[a]/<b>"
    text = render(layout(table(result(), OpenRow(name, "m", "n", name))))
    check_structure(text)
    assert all(columns == cells for columns, cells in rows_of(text))


@given(st.text())
def test_any_text_is_escaped_to_something_well_formed(text: str) -> None:
    check_structure(escape(text))


def test_the_reader_of_these_tests_does_see_what_would_break_latex() -> None:
    for broken in ("{", "}", "a_b", "a^b", "$", "#", "&", r"\begin{table}", r"\begin{a}\end{b}"):
        with pytest.raises((AssertionError, IndexError)):
            check_structure(broken)


def test_a_character_that_fonts_lack_is_told_by_its_number() -> None:
    assert escape("α ≥ é ☃") == r"$\alpha$ $\geq$ é {[}U+2603{]}"


def test_an_entry_has_no_lone_brace_and_no_place_of_one_machine() -> None:
    run = """./scripts/run 'a={' "results_dir='/my folder'" 'weights_dir=/my$x y' b=1"""
    cited = citation(table1(), {"commands": {"run": run}, "inputs": {"records": {}}}, 2026)
    entry = cited[cited.index("@misc") :]
    assert entry.count("{") == entry.count("}")
    assert r"\textbraceleft{}' b=1." in entry
    assert "my" not in entry


@pytest.mark.slow
def test_latex_compiles_the_table_the_paragraph_and_the_bibliography(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None or shutil.which("bibtex") is None:
        pytest.skip("no pdflatex or bibtex here")
    (tmp_path / "table.tex").write_text(render(layout(table1())), encoding="utf-8")
    manifest = {
        "commands": {"run": "./scripts/run results_dir=/mine model@features=vgg16 'a.b=/a_b/100%'"},
        "inputs": {"records": {"a/cam": {"sha256": "ab" * 32}}},
    }
    cited = citation(table1(), manifest, 2026)
    (tmp_path / "table.bib").write_text(cited, encoding="utf-8")
    (key,) = re.findall(r"@misc\{(.*),", cited)
    paragraph = cited.split("\n\n")[1]
    assert "mine" not in paragraph
    body = rf"\input{{table}} {paragraph} \nocite{{selvaraju2017gradcam}}\cite{{{key}}}"
    end = r"\bibliographystyle{plain}\bibliography{table}\end{document}"
    document = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{body}{end}"
    (tmp_path / "main.tex").write_text(document, encoding="utf-8")
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    for words in (latex, ["bibtex", "main"], latex, latex):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    assert "undefined" not in done.stdout
    assert not re.search(r"Overfull .*in paragraph at lines \d+--\d+\s+\[", done.stdout), done.stdout
    assert "Warning" not in (tmp_path / "main.blg").read_text()
