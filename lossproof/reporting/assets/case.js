// A case in a dialog: its title, its numbers, the worked steps, the curve, and its checks.

const dialog = document.getElementById("opened");

const caseNamed = (name) => checks.table("case").find((about) => about.case === name);

// The checks of a case, with a row per subject and dtype, and a column per reduction.
function checkTable(rows, open) {
  const reductions = unique(rows.map((row) => checks.cell("reduction", row)));
  const order = (row) => data.matrix.subjects.indexOf(checks.cell("subject", row));
  const inOrder = [...rows].sort(
    (a, b) => order(a) - order(b) || (checks.cell("dtype", a) < checks.cell("dtype", b) ? -1 : 1),
  );
  const lines = groupBy(inOrder, (row) => checks.cell("subject", row) + " " + checks.cell("dtype", row));
  const cellOf = (found, subject, dtype, reduction) => {
    if (!found.length) return el("td", {});
    const outcome = stateOf(found);
    const used = largest(found.filter((row) => checks.cell("outcome", row) !== "known defect").map(checks.share));
    const label = `${subject}, ${dtype}, ${reduction || "no reduction"}: ${outcome}, ${many(found.length, "check")}`;
    return el(
      "td",
      {},
      el(
        "button",
        {
          type: "button",
          class: "cell " + styleOf(outcome),
          "aria-label": label,
          onclick: () => open(found, label),
        },
        el("span", { class: "sign" }, signOf(outcome)),
        used === null ? null : el("span", { class: "number" }, share(used)),
        tallies({ state: outcome, counts: graverCounts(found) }),
      ),
    );
  };
  return wide(
    "checks of this case",
    el(
      "table",
      { class: "summary" },
      el(
        "caption",
        {},
        "The gravest outcome, the largest share of the budget used and, boxed, how many checks fail, or do not ",
        "simply agree; press one to see all of its checks.",
      ),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["Subject", "Dtype", ...reductions.map((reduction) => reduction || "no reduction")].map((text) =>
            el("th", { scope: "col" }, text),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        [...lines.values()].map((line) => {
          const [subject, dtype] = [checks.cell("subject", line[0]), checks.cell("dtype", line[0])];
          return el(
            "tr",
            {},
            el("th", { scope: "row" }, subject),
            el("td", {}, dtype),
            reductions.map((reduction) =>
              cellOf(
                line.filter((row) => checks.cell("reduction", row) === reduction),
                subject,
                dtype,
                reduction,
              ),
            ),
          );
        }),
      ),
    ),
  );
}

// How many checks have each outcome graver than agreement.
const graverCounts = (rows) => {
  const graver = OUTCOMES.slice(0, OUTCOMES.indexOf("agree"));
  const counts = graver.map((outcome) => [outcome, rows.filter((row) => checks.cell("outcome", row) === outcome).length]);
  return Object.fromEntries(counts.filter(([, number]) => number));
};

const gravest = (outcomes) => OUTCOMES.find((outcome) => outcomes.includes(outcome));

// A group in which only some checks agree does not simply agree.
function stateOf(rows) {
  const outcomes = rows.map((row) => checks.cell("outcome", row));
  const state = gravest(outcomes);
  return state === "agree" && outcomes.includes("unsupported") ? "partly" : state;
}

// The checks behind a cell; failures are shown in full.
function checkList(rows, label, shown) {
  const failed = (row) => [...FAILING, "known defect"].includes(checks.cell("outcome", row));
  const inOrder = [...rows].sort(
    (a, b) => OUTCOMES.indexOf(checks.cell("outcome", a)) - OUTCOMES.indexOf(checks.cell("outcome", b)) || a - b,
  );
  const line = (row) =>
    el(
      "li",
      {},
      badge(checks.cell("outcome", row)),
      el("b", {}, checks.cell("quantity", row)),
      el("span", { class: "quiet" }, checks.cell("layout", row)),
      el("span", { class: "number" }, share(checks.share(row))),
      failed(row)
        ? check(row, undefined, shown)
        : checks.cell("message", row)
          ? el("p", { class: "message" }, checks.cell("message", row))
          : null,
      failed(row) && !detailOf(row)
        ? el("p", { class: "quiet" }, "Inputs and snippet of this check stand in results.jsonl.")
        : null,
    );
  return [el("h3", { tabindex: "-1" }, label), el("ul", { class: "check-list" }, inOrder.map(line))];
}

function drawMissing(name) {
  dialog.replaceChildren(
    el("button", { type: "button", class: "dismiss", onclick: () => dialog.close(), autofocus: true }, "Close"),
    el("h2", { id: "opened-title" }, "No such case"),
    el("p", {}, "The address asks for ", el("code", {}, name), ", of which this run has no check."),
  );
  if (!dialog.open) dialog.showModal();
}

// A check in another dtype than float64 rounds the inputs of its case.
function inputsLabel(inputs, row) {
  if (!/= float64 /.test(inputs || "")) return "inputs of the case";
  const dtype = row === undefined ? "float64" : checks.cell("dtype", row);
  const isRounded = /^b?float/.test(dtype) && dtype !== "float64";
  return "inputs of the case, as float64 holds them" + (isRounded ? `; this check had each rounded to ${dtype}` : "");
}

function drawCase(name, row) {
  const rows = checks.ofCase(name);
  const about = checks.caseOf(rows[0]);
  const { inputs, params, formula, calls, reduction, curve } = data.explained[name] || {};
  // Of interest is what was asked for, or what fails.
  const failing = rows.filter((one) => FAILING.includes(checks.cell("outcome", one)));
  const reductions = (row === undefined ? failing : [row]).map((one) => checks.cell("reduction", one) || "");
  const told = calls && (reductions.find((one) => calls[one]) ?? reduction);
  const { steps, dtype, params: ofCall = params } = (calls && calls[told]) || {};
  const shown = new Set();
  const askedCheck =
    row === undefined
      ? null
      : el(
          "section",
          { class: "asked" },
          el("h3", {}, "This check, on " + checks.cell("subject", row)),
          check(row, undefined, shown),
        );
  const given = argumentsOf({ inputs, params: ofCall }, shown, inputsLabel(inputs, row));
  // A curve is drawn in one reduction, while another may fail.
  const agrees = curve && failing.length && !failing.some((one) => checks.cell("reduction", one) === curve.reduction);
  const chosen = el("div", { class: "chosen" });
  const open = (found, label) => {
    chosen.replaceChildren(...checkList(found, label, new Set(shown)));
    chosen.querySelector("h3").focus({ preventScroll: true });
    chosen.scrollIntoView({ block: "nearest" });
  };
  dialog.replaceChildren(
    el("button", { type: "button", class: "dismiss", onclick: () => dialog.close(), autofocus: true }, "Close"),
    el("h2", { id: "opened-title" }, about.title || about.case),
    el(
      "p",
      { class: "about" },
      filterLink({ loss: about.loss }, {}, about.loss),
      el("code", {}, about.case),
      ...caseHead(about),
    ),
    ...[
      data.run.stand_ins[about.loss]
        ? el(
            "p",
            {},
            "torch has no such loss; judged is the expression ",
            el("code", {}, data.run.stand_ins[about.loss]),
            ".",
          )
        : null,
      askedCheck,
      given,
      steps
        ? el(
            "section",
            {},
            el("h3", {}, "Worked steps" + (told ? ", reduction " + told : "")),
            formulaOf(about.loss, formula),
            code(["from the reference as it ran", dtype].filter(Boolean).join(", "), steps),
          )
        : null,
      curve ? el("section", {}, el("h3", {}, "Around this point"), curveFigure(curve, agrees)) : null,
      el("section", {}, el("h3", {}, many(rows.length, "check")), checkTable(rows, open), chosen),
    ].filter(Boolean),
  );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const gravestOutcome = gravest(rows.map((one) => checks.cell("outcome", one)));
  // Failures are open, so that nobody has to look for them.
  if (row === undefined && FAILING.includes(gravestOutcome)) {
    const worst = rows.filter((one) => checks.cell("outcome", one) === gravestOutcome);
    chosen.replaceChildren(
      ...checkList(
        worst.slice(0, 6),
        `${gravestOutcome}: ${many(worst.length, "check")}`,
        new Set(shown),
      ),
    );
  }
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
// Closing by hand removes the case from the address; going back has removed it already.
dialog.addEventListener("close", () => {
  const { anchor } = readAddress();
  if (!document.getElementById(anchor)) history.replaceState(null, "", table.address(""));
});
