// The changes since the baseline.

const CHANGES = {
  changed: "changed outcome",
  "less accurate": "less accurate",
  "more accurate": "more accurate",
  new: "new",
  gone: "gone",
  same: "the same",
};

// Checks of a case on a subject that changed alike share a row.
function alike(changes) {
  return [
    ...groupBy(changes, ({ case: name, subject, was, is }) =>
      JSON.stringify([name, subject, SIGNS[was] ? was : "", SIGNS[is] ? is : ""]),
    ).values(),
  ];
}

function changeRow(changes) {
  const [{ case: name, subject, was, is }] = changes;
  const outcomeOrShare = (value) => (SIGNS[value] ? badge(value) : share(value));
  const of = (field) =>
    unique(changes.map((change) => change[field])).filter((value) => value && value !== "contiguous");
  const what = [of("dtype"), of("reduction"), of("quantity"), of("layout")]
    .map((values) => (values.length > 4 ? many(values.length, "kind") : values.join(", ")))
    .filter(Boolean);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, caseLink(name)),
    el("td", {}, subject),
    el("td", { class: "number" }, whole(changes.length)),
    el("td", { class: "quiet" }, what.join(" · ")),
    was === undefined ? null : el("td", {}, outcomeOrShare(was)),
    is === undefined ? null : el("td", {}, outcomeOrShare(is)),
  );
}

function changeTable(title, changes, number, isOpen) {
  if (!changes.length) return null;
  const headings = [
    "Case",
    "Subject",
    "Checks",
    "Which",
    ...(changes[0].was === undefined ? [] : ["Was"]),
    ...(changes[0].is === undefined ? [] : ["Is"]),
  ];
  const details = lazily(
    el(
      "details",
      { class: "card" },
      el("summary", {}, el("b", {}, title), " ", el("span", { class: "quiet" }, whole(number))),
    ),
    () => [
      wide(
        title,
        el(
          "table",
          { class: "changes" },
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              headings.map((text) => el("th", { scope: "col" }, text)),
            ),
          ),
          el("tbody", {}, alike(changes).map(changeRow)),
        ),
      ),
      number > changes.length
        ? el("p", { class: "quiet" }, `The first ${whole(changes.length)} checks of ${whole(number)}.`)
        : null,
    ],
  );
  details.open = isOpen;
  return details;
}

function comparisonSection() {
  const comparison = data.comparison;
  if (!comparison) return null;
  const { counts } = comparison;
  const versions = unique([...Object.keys(comparison.old), ...Object.keys(comparison.new)]).filter(
    (name) => comparison.old[name] !== comparison.new[name],
  );
  const accuracy = groupBy(comparison.accuracy, ({ was, is }) => (shareRank(is) > shareRank(was) ? "less" : "more"));
  return section(
    { id: "comparison", title: "Compared with the baseline", short: "Baseline", count: whole(counts.changed || 0) },
    el(
      "ul",
      { class: "counts" },
      Object.entries(CHANGES).map(([name, text]) =>
        el("li", { class: counts[name] ? null : "zero" }, el("b", {}, whole(counts[name] || 0)), text),
      ),
    ),
    (comparison.notes || []).map((note) => el("p", { class: "quiet" }, note)),
    facts(versions.map((name) => [name, `${comparison.old[name] ?? "–"} → ${comparison.new[name] ?? "–"}`])),
    changeTable("Changed outcome", comparison.changed, counts.changed, true),
    changeTable(
      "Less accurate: error / budget",
      accuracy.get("less") || [],
      counts["less accurate"],
      !comparison.changed.length,
    ),
    changeTable("More accurate: error / budget", accuracy.get("more") || [], counts["more accurate"]),
    changeTable("New checks", comparison.added, counts.new),
    changeTable("Gone", comparison.gone, counts.gone),
  );
}
