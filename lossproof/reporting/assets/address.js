// The page's address carries what it shows: ?loss=...&outcome=...&search=...&sort=...#case or #section.

const FILTERS = ["loss", "subject", "dtype", "outcome", "quantity", "flag", "rule"];

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

// Within this page: a plain click filters at once, any other opens the same view anew.
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

// A fragment leaves the filters as they are.
function caseLink(name, ...content) {
  return el("a", { href: "#" + encodeURIComponent(name), class: "case" }, content.length ? content : name);
}
