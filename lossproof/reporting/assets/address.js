// The page's address holds its state: ?loss=...&outcome=...&search=...&sort=...#case or #section.

const FILTERS = ["loss", "subject", "dtype", "layout", "reduction", "outcome", "quantity", "flag", "rule"];
// In the place of an outcome: whichever fails a run.
const ANY_FAILING = "failing";

function readAddress() {
  const asked = new URLSearchParams(location.search);
  const filters = Object.fromEntries([...FILTERS, "search", "sort"].map((name) => [name, asked.get(name) || ""]));
  let anchor = location.hash.slice(1);
  try {
    anchor = decodeURIComponent(anchor);
  } catch {
    /* a stray per cent sign means itself */
  }
  return { filters, anchor };
}

function addressOf(filters, anchor) {
  const asked = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  return (asked.size ? "?" + asked : location.pathname) + (anchor ? "#" + encodeURIComponent(anchor) : "");
}

// A plain click filters this page at once; any other opens the same view in a new one.
function filterLink(filters, attributes, ...content) {
  return el(
    "a",
    {
      href: addressOf(filters, "checks"),
      ...attributes,
      onclick: (event) => {
        if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        history.pushState(null, "", addressOf(filters, "checks"));
        arrive();
      },
    },
    ...content,
  );
}

// A fragment leaves the filters unchanged.
function caseLink(name, ...content) {
  return el("a", { href: "#" + encodeURIComponent(name), class: "case" }, content.length ? content : name);
}
