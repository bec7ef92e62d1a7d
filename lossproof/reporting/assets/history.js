// Which release of torch shows which defect and picks which convention, and what each one changed.

function historyCell(cell, isChanged) {
  const [sign, style, title] =
    cell === null
      ? ["", "", "not known: no check of it runs"]
      : typeof cell === "string"
        ? [cell, "", cell]
        : cell
          ? ["◆", "known-defect", many(cell, "check") + (cell === 1 ? " shows it" : " show it")]
          : ["–", "quiet", "its checks agree"];
  return el("td", { class: [style, isChanged && "changed"].filter(Boolean).join(" ") || null, title }, sign);
}

function historyRow({ name, kind, cells, changed }) {
  const title = kind && kind !== "defect" ? [name, " ", el("span", { class: "quiet" }, `(${kind})`)] : name;
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, title),
    cells.map((cell, place) => historyCell(cell, changed.includes(place))),
  );
}

function historyTable(label, rows, first) {
  const { releases } = data.history;
  return wide(
    label,
    el(
      "table",
      { class: "history" },
      el(
        "thead",
        {},
        el("tr", {}, el("td", {}), releases.map((release) => el("th", { scope: "col" }, release))),
        first,
      ),
      el("tbody", {}, rows.map(historyRow)),
    ),
  );
}

// A table of the changed rows, and the changes of each release; the other rows are folded.
function historyPart(title, noun, rows) {
  if (!rows.length) return null;
  const changed = rows.filter((row) => row.changed.length);
  const same = rows.filter((row) => !row.changed.length);
  const numbers = data.history.releases.map((_, place) => rows.filter((row) => row.changed.includes(place)).length);
  const counts = el(
    "tr",
    {},
    el("th", { scope: "row" }, "changed with the release"),
    numbers.map((number) => el("td", {}, number ? whole(number) : "")),
  );
  const rest = `${many(same.length, noun)} that no release changed`;
  return [
    el("h3", {}, title),
    changed.length ? historyTable(title + ": changed", changed, counts) : null,
    same.length
      ? lazily(el("details", { class: "card" }, el("summary", {}, rest)), () => historyTable(rest, same))
      : null,
  ];
}

function historyReason({ what, link: address, searched }) {
  return el("p", {}, what, " ", reports({ links: address ? [address] : [], searched }));
}

function historyChange({ release, explained }) {
  return [
    el("h4", {}, "torch " + release),
    el(
      "ul",
      {},
      explained.map(({ reasons, rows }) =>
        el(
          "li",
          {},
          reasons.length ? reasons.map(historyReason) : el("p", {}, "Not explained yet."),
          el(
            "ul",
            { class: "printed" },
            rows.map(({ name, change }) => el("li", {}, `${name}: ${change}`)),
          ),
        ),
      ),
    ),
  ];
}

function historySection() {
  if (!data.history) return null;
  const { releases, defects, conventions, changes } = data.history;
  const title = "By release of torch";
  const about = `${many(releases.length, "release")} on record`;
  return folded({ id: "history", title, short: "Releases", count: whole(releases.length), about }, () => [
    el(
      "p",
      { class: "quiet" },
      `From runs of all cases on ${many(releases.length, "release")}, which are on record. A defect shows (◆), or its `,
      "checks agree (–); a cell is empty where they do not run.",
    ),
    historyPart("Known defects by cause", "cause", defects),
    historyPart("Conventions: choices that the documents leave open", "convention", conventions),
    changes.length ? [el("h3", {}, "What the releases changed"), changes.flatMap(historyChange)] : null,
  ]);
}
