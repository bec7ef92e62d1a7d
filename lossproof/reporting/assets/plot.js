// How much of the error budget each subject uses, drawn as bars: ten tenths, and what lies beyond.

function sharePlots(columns) {
  const subjects = columns.subject.table.map((subject) => ({ subject, tenths: new Array(10).fill(0), exact: 0, beyond: 0, total: 0 }));
  columns.share.forEach((share, row) => {
    const outcome = columns.outcome.table[columns.outcome.rows[row]];
    if (share === null || outcome === "known defect") return;
    const subject = subjects[columns.subject.rows[row]];
    subject.total += 1;
    if (share === 0) subject.exact += 1;
    else if (share <= 1) subject.tenths[Math.min(9, Math.floor(share * 10))] += 1;
    else subject.beyond += 1;  // what is no number is a string, and lies beyond as well
  });
  return subjects.filter(({ total }) => total).map(sharePlot);
}

function sharePlot({ subject, tenths, exact, beyond, total }) {
  const bars = [["exact", exact], ...tenths.map((number, tenth) => [`${tenth / 10} to ${(tenth + 1) / 10}`, number]), ["beyond", beyond]];
  const highest = Math.max(...bars.map(([, number]) => number));
  const drawn = bars.map(([name, number]) => {
    const bar = el("span", { class: "bar " + name, title: `${name}: ${many(number, "check")}` });
    // A root, so that a lone check still shows beside thousands.
    bar.style.height = Math.sqrt(number / highest) * 100 + "%";
    return bar;
  });
  const told = bars.filter(([, number]) => number).map(([name, number]) => `${name}: ${number}`).join(", ");
  return el("figure", {}, el("figcaption", {}, el("b", {}, subject), " ", many(total, "check"), beyond ? [", ", badge("disagree", whole(beyond) + " beyond")] : null),
    el("div", { class: "plot", role: "img", "aria-label": "Error over budget, " + told }, drawn),
    el("div", { class: "axis", "aria-hidden": "true" }, ["0", "0.5", "1", ">1"].map((mark) => el("span", {}, mark))));
}
