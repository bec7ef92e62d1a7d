// The table of losses by subject and dtype: one look says what conforms.

// A row a loss, a column a dtype of a subject; what has no dtype and is supported nowhere takes no room.
function matrixColumns({ subjects, losses }) {
  return subjects
    .map((subject, place) => {
      const parts = losses.flatMap(({ cells }) => cells[place]);
      return {
        subject,
        dtypes: unique(
          parts
            .filter(({ dtype, outcome }) => dtype !== "none" || outcome !== "unsupported")
            .map(({ dtype }) => dtype),
        ).sort(),
      };
    })
    .filter(({ dtypes }) => dtypes.length);
}

const isFailing = ({ cells }) => cells.flat().some(({ outcome }) => outcome === "disagree" || outcome === "error");

function matrixCell(loss, subject, dtype, part, isFirst) {
  const style = isFirst ? "first" : null;
  if (!part) return el("td", { class: [style, "empty"].filter(Boolean).join(" ") });
  const { outcome, count, total } = part;
  const failing = outcome === "disagree" || outcome === "error";
  const told = failing || outcome === "known defect" ? whole(count) : outcome === "agree" ? share(part.share) : "";
  const used = part.share === null ? "" : `, at most ${share(part.share)} of the budget`;
  const words = outcome === "known defect" ? "show a known defect" : outcome;
  return el(
    "td",
    { class: style },
    filterLink(
      { loss, subject, dtype, outcome: failing || outcome === "known defect" ? outcome : "" },
      {
        class: "cell " + outcome.replace(" ", "-"),
        title: `${loss}, ${subject}, ${dtype}: ${whole(count)} of ${many(total, "check")} ${words}${used}`,
        "aria-label": `${loss}, ${subject}, ${dtype}: ${whole(count)} of ${many(total, "check")} ${words}${used}`,
      },
      el("span", { class: "sign" }, SIGNS[outcome]),
      el("span", { class: "dtype" }, dtypeName(dtype)),
      told ? el("span", { class: "number" }, told) : null,
    ),
  );
}

// What has no dtype, like the attributes of a module, says "none".
const dtypeName = (dtype) => (dtype === "none" ? "no dtype" : dtype);

function matrixRow(columns, { loss, cells }) {
  return el(
    "tr",
    { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, filterLink({ loss }, {}, loss)),
    columns.flatMap(({ subject, dtypes }) => {
      const parts = new Map(cells[data.matrix.subjects.indexOf(subject)].map((part) => [part.dtype, part]));
      const label = el("td", { class: "subject-label", "aria-hidden": "true" }, subject);
      return [
        parts.size ? label : null,
        ...dtypes.map((dtype, position) => matrixCell(loss, subject, dtype, parts.get(dtype), !position)),
      ];
    }),
  );
}

function matrixSection() {
  const { losses } = data.matrix;
  if (!losses.length)
    return section("matrix", "Losses and subjects", el("p", { class: "quiet" }, "No loss ran on any subject."));
  const columns = matrixColumns(data.matrix);
  // Losses with something wrong come first.
  const inOrder = [...losses.filter(isFailing), ...losses.filter((row) => !isFailing(row))];
  const legend = [
    ["agree", "agrees; the largest error as a share of its budget"],
    ["disagree", "checks that disagree"],
    ["error", "checks that end in an error"],
    ["known defect", "checks that show a known defect"],
    ["unsupported", "not supported"],
  ].filter(([outcome]) => data.counts[outcome]);
  return section(
    "matrix",
    "Losses and subjects",
    el(
      "ul",
      { class: "legend" },
      legend.map(([outcome, text]) => el("li", {}, badge(outcome, text))),
    ),
    wide(
      "Losses by subject and dtype",
      el(
        "table",
        { class: "matrix", role: "table", "aria-label": "Losses by subject and dtype" },
        el(
          "thead",
          { role: "rowgroup" },
          el(
            "tr",
            { role: "row" },
            el("td", {}),
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
            columns.flatMap(({ dtypes }) =>
              dtypes.map((dtype, place) =>
                el("th", { scope: "col", role: "columnheader", class: place ? null : "first" }, dtypeName(dtype)),
              ),
            ),
          ),
        ),
        el(
          "tbody",
          { role: "rowgroup" },
          inOrder.map((row) => matrixRow(columns, row)),
        ),
      ),
    ),
  );
}
