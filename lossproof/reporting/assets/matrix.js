// The table of losses by subject and dtype: one look says what conforms.

// A row per loss and a column per dtype of a subject; claims without a dtype have a column if supported.
function matrixColumns(losses) {
  return data.matrix.subjects
    .map((subject, place) => {
      const parts = losses.flatMap(({ cells }) => cells[place]);
      return {
        subject,
        checks: parts.reduce((sum, part) => sum + part.checks, 0),
        dtypes: unique(
          parts
            .filter(({ dtype, state }) => dtype !== NO_DTYPE || state !== "nothing to run")
            .map(({ dtype }) => dtype),
        ).sort(),
      };
    })
    .filter(({ dtypes }) => dtypes.length)
    .sort((a, b) => b.checks - a.checks);
}

const isFailing = ({ cells }) => cells.flat().some(({ counts }) => FAILING.some((outcome) => counts[outcome]));

// The number of checks of each kind, and of calls that gave a value if some gave none.
function tallies({ state, counts, ran, calls }) {
  const found = Object.entries(counts).map(([outcome, number]) => [
    styleOf(outcome),
    (outcome === state ? "" : SIGNS[outcome] + " ") + whole(number),
  ]);
  if (ran < calls && state !== "nothing to run") found.push(["partly", `${whole(ran)}/${whole(calls)}`]);
  return found.map(([style, text]) => el("span", { class: "tally " + style }, text));
}

function cellInWords({ state, checks: number, ran, calls, share: used, counts }) {
  const each = Object.entries(counts).map(
    ([outcome, count]) => `${whole(count)} of ${many(number, "check")} ${outcome}`,
  );
  const parts = [
    state === "nothing to run" && calls ? "nothing ran" : state,
    ran < calls ? `${whole(ran)} of ${many(calls, "call")} gave a value` : "",
    used === null ? "" : `at most ${share(used)} of the budget used`,
    ...each,
  ];
  return parts.filter(Boolean).join("; ");
}

function matrixCell(loss, subject, dtype, part, isFirst) {
  const style = isFirst ? "first" : null;
  if (!part) return el("td", { class: [style, "empty"].filter(Boolean).join(" "), role: "gridcell" });
  const words = `${loss}, ${subject}, ${dtype}: ${cellInWords(part)}`;
  const [first, ...further] = tallies(part);
  return el(
    "td",
    { class: style, role: "gridcell" },
    filterLink(
      { loss, subject, dtype, outcome: SIGNS[part.state] ? part.state : "" },
      { class: "cell " + styleOf(part.state), title: words, "aria-label": words },
      el(
        "span",
        { class: "told" },
        el("span", { class: "sign" }, signOf(part.state)),
        el("span", { class: "dtype" }, dtype),
        part.share === null ? null : el("span", { class: "number" }, magnitude(part.share)),
        first,
      ),
      further,
    ),
  );
}

// The share of checks that pass, rounded down: only what passes as a whole is 100 %.
function passedCell({ loss, passed, ran }) {
  const words = `${whole(passed)} of ${many(ran, "check")} pass`;
  const percent = !ran ? "–" : passed === ran ? "100 %" : (Math.floor((passed / ran) * 1000) / 10).toFixed(1) + " %";
  return el("td", { class: "passed", role: "gridcell", title: words, "aria-label": `${loss}: ${words}` }, percent);
}

function matrixRow(columns, row) {
  const { loss, cells } = row;
  return el(
    "tr",
    { role: "row" },
    el(
      "th",
      { scope: "row", role: "rowheader" },
      filterLink({ loss, outcome: isFailing(row) ? ANY_FAILING : "" }, {}, loss),
      data.run.stand_ins[loss] ? el("code", { class: "expression" }, data.run.stand_ins[loss]) : null,
    ),
    passedCell(row),
    columns.flatMap(({ subject, dtypes }) => {
      const parts = new Map(cells[data.matrix.subjects.indexOf(subject)].map((part) => [part.dtype, part]));
      const label = el("td", { class: "subject-label", role: "presentation", "aria-hidden": "true" }, subject);
      return [
        parts.size ? label : null,
        ...dtypes.map((dtype, position) => matrixCell(loss, subject, dtype, parts.get(dtype), !position)),
      ];
    }),
  );
}

function matrixHead(columns) {
  return el(
    "thead",
    { role: "rowgroup" },
    el(
      "tr",
      { role: "row" },
      el("td", { colspan: 2, role: "gridcell" }),
      columns.map(({ subject, dtypes }) =>
        el(
          "th",
          { scope: "colgroup", role: "columnheader", colspan: dtypes.length, class: "first" },
          filterLink({ subject }, {}, subject),
        ),
      ),
    ),
    el(
      "tr",
      { role: "row" },
      el("th", { scope: "col", role: "columnheader" }, "Loss"),
      el("th", { scope: "col", role: "columnheader", class: "passed" }, "passed"),
      columns.flatMap(({ dtypes }) =>
        dtypes.map((dtype, place) =>
          el("th", { scope: "col", role: "columnheader", class: place ? null : "first" }, dtype),
        ),
      ),
    ),
  );
}

function matrixTable(label, rows) {
  if (!rows.length) return null;
  const columns = matrixColumns(rows);
  return wide(
    label,
    arrowKeys(
      el(
        "table",
        { class: "matrix", role: "grid", "aria-label": label },
        matrixHead(columns),
        el(
          "tbody",
          { role: "rowgroup" },
          rows.map((row) => matrixRow(columns, row)),
        ),
      ),
    ),
  );
}

const MEANINGS_OF_STATES = [
  ["conforms", "conforms: all that was asked gave a value or held, and agrees"],
  ["partly", "partly: some calls gave no value, all others agree"],
  ["disagree", "checks disagree"],
  ["error", "checks end in an error"],
  ["changed convention", "checks differ from the choice on record, where the formula leaves one"],
  ["known defect", "checks show a known defect"],
  ["close", "checks are off by more than their budget, but by less than twice"],
  ["accepts", "calls that torch refuses are accepted"],
  ["overflowed", "checks overflowed where the formula does"],
  ["other convention", "checks make another choice, where the formula leaves one and none is on record"],
  ["nothing to run", "nothing to run: no call gave a value"],
];

function matrixSection() {
  const { losses } = data.matrix;
  const title = "Losses and subjects";
  if (!losses.length)
    return section({ id: "matrix", title }, el("p", { class: "quiet" }, "No loss ran on any subject."));
  // Losses with something wrong come first: nobody has to look for them.
  const inOrder = [...losses.filter(isFailing), ...losses.filter((row) => !isFailing(row))];
  const [own, standIns] = [
    inOrder.filter(({ loss }) => !data.run.stand_ins[loss]),
    inOrder.filter(({ loss }) => data.run.stand_ins[loss]),
  ];
  const all = losses.flatMap(({ cells }) => cells.flat());
  const legend = MEANINGS_OF_STATES.filter(([state]) => all.some((part) => part.state === state || part.counts[state]));
  return section(
    { id: "matrix", title, short: "Losses", count: whole(losses.length) },
    el(
      "ul",
      { class: "legend" },
      legend.map(([state, text]) => el("li", {}, signed(styleOf(state), signOf(state), text))),
    ),
    el(
      "details",
      { class: "reading" },
      el("summary", {}, "How to read the numbers"),
      el(
        "p",
        {},
        "A number is always the largest share of the error budget that any check used; beyond 1 a check disagrees. ",
        "Known defects and second derivatives that are graded are left out. ",
        "A number in a box counts the checks that fail, or do not simply agree; 1/116 in a box: of 116 calls one gave a value. ",
        "Passed is the share of checks that pass, of those that ran. Arrow keys move among the cells.",
        data.matrix.subjects.includes("certified")
          ? " Under certified stand the numbers that cases and documents state: their budget is half a last digit, " +
            "or that of the dtype in which a number was seen."
          : null,
      ),
    ),
    matrixTable("Losses by subject and dtype", own),
    standIns.length
      ? [
          el("h3", {}, "What torch has no loss for"),
          el(
            "p",
            { class: "quiet" },
            "The documents define these, and torch lacks them. Judged is an expression of torch's operations that ",
            "stands in for each; what is wrong with it is wrong with the expression, not with a loss of torch.",
          ),
          matrixTable("Expressions by subject and dtype", standIns),
        ]
      : null,
  );
}
