// Error over budget for each loss and dtype: the distribution, and the worst case, marked and named.

const BINS = 40; // of the budget, from 0 to 1
const DECADES = 8; // beyond it: a bar per power of ten, the last for everything larger
const STRIP = { width: 300, height: 30, exact: 0, start: 10, bin: 5.5, limit: 232, end: 300 };

function spreads() {
  const {
    loss,
    dtype,
    subject,
    share: shares,
    outcome,
  } = Object.fromEntries(
    ["dtype", "subject", "share", "outcome"]
      .map((name) => [name, { rows: checks.rowsOf[name], table: checks.table(name) }])
      .concat([["loss", { rows: checks.rowsOf.case, table: checks.table("case").map((about) => about.loss) }]]),
  );
  const found = new Map();
  const ranks = shares.table.map(shareRank);
  const known = outcome.table.indexOf("known defect");
  for (let row = 0; row < checks.total; row++) {
    const rank = ranks[shares.rows[row]];
    // The excess of a known defect is shown with the defect; here it would hide the other shares.
    if (rank < 0 || outcome.rows[row] === known) continue;
    const name = loss.table[loss.rows[row]];
    if (!found.has(name)) found.set(name, new Array(dtype.table.length));
    const strips = found.get(name);
    const strip = (strips[dtype.rows[row]] ||= {
      dtype: dtype.table[dtype.rows[row]],
      bins: new Uint32Array(1 + BINS + DECADES),
      total: 0,
      worst: -1,
      row: -1,
    });
    strip.total += 1;
    strip.bins[
      rank === 0 ? 0 : rank <= 1 ? Math.ceil(rank * BINS) : BINS + Math.min(DECADES, 1 + Math.floor(Math.log10(rank)))
    ] += 1;
    if (rank > strip.worst) {
      strip.worst = rank;
      strip.row = row;
    }
  }
  return [...found]
    .map(([name, strips]) => ({
      loss: name,
      strips: Object.values(strips).sort(
        (a, b) => (a.dtype === NO_DTYPE) - (b.dtype === NO_DTYPE) || (a.dtype < b.dtype ? -1 : 1),
      ),
    }))
    .sort((a, b) => (a.loss < b.loss ? -1 : 1));
}

function binLeft(bin) {
  if (bin === 0) return STRIP.exact;
  return bin <= BINS
    ? STRIP.start + (bin - 1) * STRIP.bin
    : STRIP.limit + 4 + ((bin - BINS - 1) * (STRIP.end - STRIP.limit - 6)) / DECADES;
}

function shareLeft(rank) {
  if (rank <= 1) return rank === 0 ? STRIP.exact + 3 : STRIP.start + rank * BINS * STRIP.bin;
  return binLeft(BINS + Math.min(DECADES, 1 + Math.floor(Math.log10(rank)))) + 3;
}

function stripPicture(loss, { dtype, bins, total, worst, row }) {
  const highest = Math.max(...bins);
  // A root, so that a lone check still shows beside thousands.
  const rise = (number) => Math.max(2, Math.sqrt(number / highest) * (STRIP.height - 8)).toFixed(1);
  const bar = (bin) =>
    `M${binLeft(bin)} ${STRIP.height}v-${rise(bins[bin])}h${bin ? STRIP.bin - 1 : 6}V${STRIP.height}z`;
  const path = (from, to) =>
    Array.from({ length: to - from }, (_, offset) => from + offset)
      .filter((bin) => bins[bin])
      .map(bar)
      .join("");
  const beyond = bins.slice(BINS + 1).reduce((sum, number) => sum + number, 0);
  const texts = [
    `${loss}, ${dtype}: ${many(total, "check")}`,
    `${whole(bins[0])} exact`,
    beyond ? `${whole(beyond)} beyond the budget` : "",
    `the largest error is ${budgets(checks.share(row))}`,
  ];
  const at = shareLeft(worst);
  return svg(
    "svg",
    {
      class: "strip",
      viewBox: `-4 0 ${STRIP.width + 8} ${STRIP.height + 2}`,
      role: "img",
      "aria-label": texts.filter(Boolean).join(", "),
    },
    svg("path", { class: "base", d: `M0 ${STRIP.height}.5H${STRIP.end}` }),
    svg("path", { class: "limit", d: `M${STRIP.limit} 0V${STRIP.height}` }),
    svg("path", { class: "exact", d: path(0, 1) }),
    svg("path", { class: "within", d: path(1, BINS + 1) }),
    svg("path", { class: "beyond", d: path(BINS + 1, BINS + DECADES + 1) }),
    svg("path", { class: "worst", d: `M${at} 7l-4 -6h8z` }),
  );
}

function stripAxis() {
  const ticks = [
    [STRIP.start, "0"],
    [STRIP.start + (BINS * STRIP.bin) / 2, "0.5"],
    [STRIP.limit - 2, "1"],
    [(STRIP.limit + STRIP.end) / 2 + 6, "beyond"],
  ];
  return svg(
    "svg",
    { class: "strip-axis", viewBox: `-4 0 ${STRIP.width + 8} 14`, "aria-hidden": "true" },
    ticks.map(([at, text]) => svg("text", { x: at, y: 11, "text-anchor": "middle" }, text)),
  );
}

function spreadFigure({ loss, strips }) {
  return el(
    "figure",
    { class: "spread" },
    el("figcaption", {}, filterLink({ loss, sort: "-share" }, {}, loss)),
    strips.map((strip) =>
      el(
        "div",
        { class: "spread-row" },
        el("span", { class: "dtype" }, strip.dtype),
        stripPicture(loss, strip),
        el(
          "span",
          { class: "worst-case" + (strip.worst > 1 ? " disagree" : "") },
          "▾ ",
          el("b", {}, share(checks.share(strip.row))),
          " ",
          caseLink(checks.caseOf(strip.row).case),
        ),
      ),
    ),
    el("div", { class: "spread-row", "aria-hidden": "true" }, el("span", {}), stripAxis(), el("span", {})),
  );
}

// What counts as an honest computation.
function coverage() {
  return el(
    "details",
    { class: "card" },
    el("summary", {}, "What the budget covers"),
    el(
      "p",
      {},
      "The budget is twice the bound on the rounding errors of an honest computation. Honest means: each operation of ",
      "the documented formula is rounded once (exp, log, powers and arctan twice); sums are taken in blocks or in ",
      "pairs and kept in at least float32, which costs 1 + ⌈log₂ n⌉ roundings for n terms; log-softmax takes its ",
      "stable form, shifted by the maximum; and a norm is scaled by its largest component, so that no square of it ",
      "overflows or vanishes.",
    ),
    el(
      "p",
      {},
      "Two ways of computing lie outside. A plain loop over n terms makes n − 1 roundings: in float32, and for ",
      "100,000 terms, thousands of budgets, and a budget as wide as that would catch nothing. And x − logsumexp(x) ",
      "loses the digits that a large offset of the logits takes up. A check that disagrees, and would be within the ",
      "bound of one of these, says so in its message.",
    ),
  );
}

function budgetSection() {
  if (!checks.table("share").some((used) => used !== null)) return null;
  const about = "how near the checks of each loss come to their error budgets";
  return folded({ id: "budget", title: "Budget used", short: "Budgets", about }, () => [
    el(
      "p",
      { class: "quiet" },
      "How the checks of a loss spread over their error budgets, for each dtype. Far left: exact. Then from 0 to 1, ",
      "the line: all that rounding may cost. Right of it: beyond the budget, a bar a power of ten. The height of a bar ",
      "is the square root of its count; ▾ marks the worst check and names its case. Known defects and second ",
      "derivatives that are graded are left out.",
    ),
    coverage(),
    el("div", { class: "spreads" }, spreads().map(spreadFigure)),
  ]);
}
