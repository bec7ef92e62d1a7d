"""The verbs that show, run, make and export a case honour the upstream gradient that it chooses."""

from __future__ import annotations

import json
from pathlib import Path

from command_lines import typed
from snippet_runs import outcome_of_snippet

MSE = ("MSELoss", "--input", "[0.5, -1]", "--target", "[1, 1]", "--reduction", "none")
CASE = """\
loss: MSELoss
cases:
  - id: mine
    title: a case of mine
    args: {input: [0.5, -1], target: [1, 1]}
    upstream: [-3, '0x1p-140']
    reductions: [none]
    dtypes: [float32]
"""


def test_run_tells_the_gradients_for_a_typed_upstream_gradient() -> None:
    said = typed("run", *MSE, "--upstream", "[-3, 0.25]", "--snippet")
    assert said.status == 0
    start = next(number for number, line in enumerate(said.lines) if line.startswith("gradient by input"))
    assert [line.split()[1] for line in said.lines[start + 1 : start + 3]] == ["3", "-1"]
    program = said.text.partition("a program of this call, for its gradient by input\n")[2]
    assert "upstream = torch.tensor([-3.0, 0.25]" in program
    assert outcome_of_snippet(program) == "passes"


def test_run_refuses_an_upstream_gradient_of_another_shape() -> None:
    said = typed("run", *MSE, "--upstream", "[-3]")
    assert said.status == 2
    assert "upstream has shape [1], the result with reduction none [2]" in said.text
    said = typed("run", *MSE, "--upstream", "{fill: 1, shape: [2], dtype: int64}")
    assert said.status == 2
    assert "leave the dtype out" in said.text


def test_new_states_the_gradient_for_a_typed_upstream_gradient(tmp_path: Path) -> None:
    words = ("--upstream", "[-3, 0.25]", "--id", "mine", "--title", "mine", "--gradient")
    said = typed("new", *MSE, *words, "--corpus", str(tmp_path), "--file", str(tmp_path / "x.yaml"))
    assert said.status == 0, said.text
    text = (tmp_path / "x.yaml").read_text()
    assert "    upstream: [-3, 0.25]\n" in text
    assert "input: [3, -1]" in text
    assert typed("check", str(tmp_path / "x.yaml")).status == 0


def test_show_tells_the_upstream_gradient_and_the_gradients_for_it(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(CASE)
    said = typed("show", "mine", "--corpus", str(tmp_path))
    assert said.status == 0
    assert "upstream    [-3, '0x1p-140']" in said.text
    [line] = [line for line in said.lines if "gradient by input " in line and "[" in line]
    assert "[3, -2.8698592549372253613e-42]" in line


def test_check_names_the_line_of_the_upstream_gradient(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(CASE.replace("[none]", "[none, mean]"))
    said = typed("check", str(tmp_path / "x.yaml"))
    assert said.status == 2
    assert "x.yaml:6: [mine] upstream has shape [2], the result with reduction mean []" in said.text


def test_export_holds_the_upstream_gradient(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(CASE)
    [case] = json.loads(typed("export", "--corpus", str(tmp_path)).text)["cases"]
    assert case["upstream"]["form"] == {"data": ["-3", "0x1p-140"]}
    assert case["upstream"]["numbers"]["float64"] == ["-0x1.8000000000000p+1", "0x1.0000000000000p-140"]
    said = typed("export", "--truth", "--corpus", str(tmp_path))
    call = json.loads(said.lines[1])
    assert call["upstreams"] == [{"dtype": "float32", "shape": [2], "data": ["-0x1.8p+1", "0x1p-140"]}]
    assert set(call["expect"]) == {"value", "gradient:input", "gradient:target"}
    assert call["expect"]["gradient:input"]["true"] == ["0x1.8p+1", "-0x1p-138"]
