// What disagrees: by loss, with what its failures share, and a card for each case.

const DRAWN_CARDS = 8;

const inWords = (names) => (names.length > 1 ? names.slice(0, -1).join(", ") + " and " + names.at(-1) : names[0] || "");

const subjectsOf = (places) => unique(places.map((row) => checks.cell("subject", row)));

function failureCard({ rows, checks: number, outcomes, subjects, dtypes }, isOpen = false) {
  const [alike, ...others] = rows;
  const [first] = alike;
  const about = checks.caseOf(first);
  const drawn = rows.flat().length;
  // The number of the check that the card shows first: another one would contradict it.
  const used = checks.share(first);
  const card = el(
    "details",
    { class: "card failure" },
    el(
      "summary",
      {},
      el("h4", {}, about.title || about.case),
      el(
        "span",
        { class: "about" },
        Object.entries(outcomes).map(([outcome, count]) => badge(outcome, many(count, "check"))),
        el("span", {}, "on " + inWords(subjects)),
        el("span", {}, dtypes.join(", ")),
        used === null ? null : el("span", {}, budgets(used)),
      ),
    ),
  );
  return lazily(card, () => [
    el("p", { class: "about" }, el("b", {}, about.loss), caseLink(about.case), ...caseHead(about)),
    check(first, subjectsOf(alike)),
    others.length
      ? lazily(
          el("details", {}, el("summary", {}, many(others.length, "further check") + " of this case")),
          () => others.map((places) => check(places[0], subjectsOf(places))),
        )
      : null,
    drawn < number
      ? el(
          "p",
          { class: "quiet" },
          `and ${whole(number - drawn)} more, listed among `,
          filterLink({ search: about.case, outcome: Object.keys(outcomes)[0] }, {}, "all checks"),
        )
      : null,
  ], isOpen);
}

// The first case of the first loss is open, so that the first look shows numbers.
function failuresOfLoss({ loss, common, cases, shown }, position) {
  const rest = cases - shown.length;
  const further = shown.slice(DRAWN_CARDS);
  return lazily(
    el(
      "details",
      { class: "loss" },
      el("summary", {}, el("h3", {}, loss), el("span", { class: "common" }, common)),
    ),
    () => [
      shown.slice(0, DRAWN_CARDS).map((one, place) => failureCard(one, !position && !place)),
      further.length
        ? lazily(el("details", {}, el("summary", {}, many(further.length, "further case"))), () =>
            further.map((one) => failureCard(one)),
          )
        : null,
      rest > 0
        ? el(
            "p",
            {},
            el("b", {}, `${whole(rest)} more`),
            " are not drawn here; ",
            filterLink({ loss }, {}, "the table of all checks"),
            " lists them.",
          )
        : null,
    ],
    !position,
  );
}

function failureSection() {
  const { losses, cases, checks: number } = data.failures;
  if (!losses.length) return null;
  const outcomes = FAILING.filter((outcome) => data.counts[outcome]);
  return section(
    { id: "failures", title: "What disagrees", short: "Disagree", count: whole(number) },
    el(
      "p",
      { class: "quiet" },
      `${many(number, "check")} in ${many(cases, "case")} of ${many(losses.length, "loss", "losses")}, `,
      "those with the most failures first. In the table of all checks: ",
      outcomes
        .map((outcome, place) => [
          place ? ", " : "",
          filterLink({ outcome }, {}, whole(data.counts[outcome]) + " " + outcome),
        ])
        .flat(),
      ".",
    ),
    losses.map(failuresOfLoss),
  );
}
