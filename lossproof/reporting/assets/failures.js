// What disagrees: by loss, with what its failures share, and a card for each case.

const DRAWN_CARDS = 8;
const NAMED_LAYOUTS = 3;

const inWords = (names) => (names.length > 1 ? names.slice(0, -1).join(", ") + " and " + names.at(-1) : names[0] || "");

const subjectsOf = (places) => unique(places.map((row) => checks.cell("subject", row)));

// Of many layouts, the first.
const layoutsInWords = (layouts) =>
  inWords(layouts.length > NAMED_LAYOUTS ? [...layouts.slice(0, 2), `${layouts.length - 2} other layouts`] : layouts);

function failureCard({ rows, checks: number, outcomes, subjects, dtypes, layouts, share: worst }, isOpen = false) {
  const [alike, ...others] = rows;
  const [first] = alike;
  const about = checks.caseOf(first);
  const drawn = rows.flat().length;
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
        el("span", {}, layoutsInWords(layouts)),
        worst === null ? null : el("span", {}, worst === "nan" ? budgets(worst) : "at worst " + budgets(worst)),
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
          filterLink({ search: "case:" + about.case, outcome: ANY_FAILING }, {}, "all checks"),
        )
      : null,
  ], isOpen);
}

// The most typical case of the first loss is open, so that the first look shows numbers.
function failuresOfLoss({ loss, common, cases, shown }, position) {
  const rest = cases - shown.length;
  const further = shown.slice(DRAWN_CARDS);
  return lazily(
    el(
      "details",
      { id: placeOf(loss), class: "loss" },
      el(
        "summary",
        {},
        el("h3", { id: placeOf(loss) + "-title", tabindex: "-1" }, loss),
        el("span", { class: "common" }, common),
      ),
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
            filterLink({ loss, outcome: ANY_FAILING }, {}, "the table of all checks"),
            " lists them.",
          )
        : null,
    ],
    !position,
  );
}

const placeOf = (loss) => "failures-" + loss;

// The loss whose failures are open may hide the others, which stand below.
function lossLinks(losses) {
  if (losses.length < 2) return null;
  return el(
    "ul",
    { class: "legend" },
    losses.map(({ loss, checks: number }) =>
      el(
        "li",
        {},
        el("a", { href: "#" + encodeURIComponent(placeOf(loss)) }, loss),
        el("span", { class: "quiet" }, " " + many(number, "check")),
      ),
    ),
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
    lossLinks(losses),
    losses.map(failuresOfLoss),
  );
}
