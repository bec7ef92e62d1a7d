// Checks that did not pass by their number: results that overflowed, and checks that passed by a rule.

function placeTable(label, counts, filters) {
  const dtypes = unique(counts.map(({ dtype }) => dtype)).sort();
  const rows = [...groupBy(counts, ({ loss }) => loss)];
  return wide(
    label,
    el(
      "table",
      { class: "summary" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["Loss", ...dtypes].map((text) => el("th", { scope: "col" }, text)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map(([loss, found]) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, loss),
            dtypes.map((dtype) => {
              const at = found.find((one) => one.dtype === dtype);
              return el(
                "td",
                { class: "number" },
                at
                  ? filterLink(
                      { loss, dtype, ...filters },
                      { "aria-label": `${loss}, ${dtype}: ${many(at.count, "check")}` },
                      whole(at.count),
                    )
                  : null,
              );
            }),
          ),
        ),
      ),
    ),
  );
}

function overflowSection() {
  if (!data.overflowed.length) return null;
  const total = data.overflowed.reduce((sum, { count }) => sum + count, 0);
  const title = "Overflowed where the formula does";
  const about = many(total, "check");
  return folded({ id: "overflowed", title, short: "Overflowed", count: whole(total), about }, () => [
    el(
      "p",
      { class: "quiet" },
      "Here a step of the formula is beyond the largest number of the dtype, though the result may not be. What came ",
      "out is not finite. That is no agreement, and no fault of the subject either: whoever computes the formula step ",
      "by step in this dtype gets the same. The message of a check names the operation, and the step that it belongs to.",
    ),
    placeTable("Overflowed results by loss and dtype", data.overflowed, { outcome: "overflowed" }),
  ]);
}

function ruleSection() {
  if (!data.rules.length) return null;
  const sum = data.rules.reduce((all, { total }) => all + total, 0);
  const title = "Passed by a rule, not by the number";
  return folded({ id: "rules", title, short: "By a rule", count: whole(sum), about: many(sum, "check") }, () =>
    data.rules.map(({ rule, means, total, by }) =>
      lazily(
        el(
          "details",
          { class: "card" },
          el("summary", {}, el("b", {}, rule), " ", el("span", { class: "quiet" }, many(total, "check"))),
        ),
        () => [el("p", {}, means), placeTable(`${rule}, by loss and dtype`, by, { rule })],
      ),
    ),
  );
}
