// What disagrees: a card for each case and subject, the first of them open.

const OPEN_FAILURES = 3;

function failureCard({ rows: places, checks: number }, position) {
  const about = checks.caseOf(places[0]);
  const subject = checks.cell("subject", places[0]);
  const outcome = checks.cell("outcome", places[0]);
  const rest = number - places.length;
  // The number of the check that the card shows first: another one would contradict it.
  const used = checks.share(places[0]);
  const dtypes = unique(places.map((row) => checks.cell("dtype", row))).join(", ");
  const card = el(
    "details",
    { class: "card failure" },
    el(
      "summary",
      {},
      el("h3", {}, about.title || about.case),
      el(
        "span",
        { class: "about" },
        badge(outcome, many(number, "check")),
        el("b", {}, about.loss),
        el("span", {}, "on " + subject),
        el("span", {}, dtypes),
        used === null ? null : el("span", {}, budgets(used)),
      ),
    ),
  );
  lazily(card, () => [
    el("p", { class: "about" }, caseLink(about.case), ...caseHead(about)),
    check(places[0]),
    places.length > 1
      ? el(
          "details",
          {},
          el("summary", {}, many(places.length - 1, "further check") + " of this case on " + subject),
          places.slice(1).map(check),
        )
      : null,
    rest > 0
      ? el(
          "p",
          { class: "quiet" },
          `and ${whole(rest)} more, listed among `,
          filterLink({ search: about.case, subject, outcome }, {}, "all checks"),
        )
      : null,
  ]);
  card.open = position < OPEN_FAILURES;
  return card;
}

function failureSection() {
  const { shown, groups } = data.failures;
  if (!groups) return null;
  const rest = groups - shown.length;
  const outcomes = FAILING.filter((outcome) => data.counts[outcome]);
  return section(
    "failures",
    "What disagrees",
    el(
      "p",
      { class: "quiet" },
      many(data.failures.checks, "check") +
        " in " +
        many(groups, "case") +
        ", a case counted once for each subject. In the table of all checks: ",
      outcomes
        .map((outcome, place) => [
          place ? ", " : "",
          filterLink({ outcome }, {}, whole(data.counts[outcome]) + " " + outcome),
        ])
        .flat(),
      ".",
    ),
    shown.map((failure, position) => failureCard(failure, position)),
    rest > 0
      ? el("p", {}, el("b", {}, `${whole(rest)} more`), " are not drawn here; the table of all checks lists them.")
      : null,
  );
}
