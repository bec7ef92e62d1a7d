// A loss and its slope as curves through a case's point: what the subject computes against the truth.

const PANEL = { width: 460, height: 280, left: 62, right: 14, top: 12, bottom: 42 };
const finite = (value) => typeof value === "number";

// Round numbers across a range.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * unit >= rough) * unit;
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-9; place++)
    found.push(place * step);
  return found;
}

function tickText(value, step) {
  if (value === 0 || Math.abs(value) < step * 1e-6) return "0";
  if (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)
    return power(Math.abs(value)).replace(/^/, value < 0 ? "−" : "");
  return value.toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)))).replace("-", "−");
}

function range(values) {
  const known = values.filter(finite);
  if (!known.length) return [0, 1];
  const low = Math.min(...known),
    high = Math.max(...known);
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - margin, high + margin];
}

// A line with gaps where there is no number to draw; a lone point is drawn as a dot by its round cap.
function linePath(xs, ys, x, y) {
  let isPen = false;
  return xs
    .map((at, place) => {
      if (!finite(at) || !finite(ys[place])) {
        isPen = false;
        return "";
      }
      const command = isPen ? "L" : "M";
      const isAlone = !isPen && !finite(ys[place + 1]);
      isPen = true;
      return `${command}${x(at).toFixed(1)} ${y(ys[place]).toFixed(1)}` + (isAlone ? "h.01" : "");
    })
    .join("");
}

// A description for people who cannot see the picture.
function apart(curve, truth, observed, [low, high]) {
  let worst = -1,
    most = 0;
  truth.forEach((value, place) => {
    const same = value === observed[place];
    const gap =
      finite(value) && finite(observed[place])
        ? Math.abs(value - observed[place]) / (high - low)
        : same
          ? 0
          : Infinity;
    if (gap > most) {
      most = gap;
      worst = place;
    }
  });
  if (most < 0.005) return "the two curves coincide";
  const there = `where the truth is ${truth[worst]} and ${curve.subject} gives ${observed[worst]}`;
  return `they part most at ${curve.x[worst]}, ${there}`;
}

function atPoint(curve, values) {
  const place = curve.x.reduce(
    (best, at, place) => (Math.abs(at - curve.here) < Math.abs(curve.x[best] - curve.here) ? place : best),
    0,
  );
  return values[place];
}

function panel(curve, title, truth, observed) {
  const { width, height, left, right, top, bottom } = PANEL;
  const [lowX, highX] = [curve.x[0], curve.x[curve.x.length - 1]];
  const [lowY, highY] = range([...truth, ...observed]);
  const x = (value) => left + ((value - lowX) / (highX - lowX)) * (width - left - right);
  const y = (value) => height - bottom - ((value - lowY) / (highY - lowY)) * (height - top - bottom);
  const across = ticks(lowX, highX, 6),
    up = ticks(lowY, highY, 5);
  const argument = curve.argument + (curve.at.length ? "[" + curve.at.join(", ") + "]" : "");
  const here = atPoint(curve, truth);
  const caption = [
    `${title} as ${argument} goes from ${lowX} to ${highX}: ${apart(curve, truth, observed, [lowY, highY])}.`,
    `At the case's point ${curve.here} the truth is ${here}.`,
  ].join(" ");
  const shown = svg(
    "svg",
    { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": caption },
    up.map((value) => [
      svg("path", { class: "grid", d: `M${left} ${y(value)}H${width - right}` }),
      svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, tickText(value, up[1] - up[0])),
    ]),
    across.map((value) => [
      svg("path", { class: "grid", d: `M${x(value)} ${height - bottom}v4` }),
      svg(
        "text",
        { x: x(value), y: height - bottom + 18, "text-anchor": "middle" },
        tickText(value, across[1] - across[0]),
      ),
    ]),
    svg("path", { class: "base", d: `M${left} ${height - bottom}H${width - right}` }),
    svg(
      "text",
      { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle", class: "axis-name" },
      argument,
    ),
    svg("path", { class: "here", d: `M${x(curve.here)} ${top}V${height - bottom}` }),
    svg("path", { class: "truth", d: linePath(curve.x, truth, x, y) }),
    svg("path", { class: "observed", d: linePath(curve.x, observed, x, y) }),
    finite(here) ? svg("circle", { class: "point", cx: x(curve.here), cy: y(here), r: 4.5 }) : null,
  );
  return el("div", { class: "panel" }, el("p", { class: "panel-title" }, title), shown);
}

function key(style, text) {
  const mark =
    style === "point"
      ? svg("circle", { class: "point", cx: 14, cy: 6, r: 4.5 })
      : svg("path", { class: style, d: "M1 6H27" });
  return el("li", {}, svg("svg", { class: "key", viewBox: "0 0 28 12", "aria-hidden": "true" }, mark), text);
}

// ``agrees``: the case fails, but not where the curve is drawn, which must not look like an acquittal.
function curveFigure(curve, agrees = false) {
  const named = curve.reduction && (agrees || curve.reduction !== "none") ? ` (${curve.reduction})` : "";
  const how = named + (agrees ? ", which agrees" : "");
  const gaps = [...curve.truth, ...curve.observed, ...curve.slope, ...curve.observed_slope].some(
    (value) => !finite(value),
  );
  return el(
    "figure",
    { class: "curves" },
    el(
      "figcaption",
      {},
      "One number of the case moves, all others stay.",
      el(
        "ul",
        { class: "keys" },
        key("truth", "the truth, by the reference"),
        key("observed", curve.subject),
        key("point", "the case"),
      ),
      gaps ? el("span", { class: "quiet" }, " Where a line is interrupted the value is not finite.") : null,
    ),
    el(
      "div",
      { class: "panels" },
      panel(curve, "The loss" + how, curve.truth, curve.observed),
      panel(curve, "Its slope", curve.slope, curve.observed_slope),
    ),
  );
}
