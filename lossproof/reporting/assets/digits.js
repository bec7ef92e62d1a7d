// Numbers as people compare them: shares of the budget, units in the last place, digits that differ.

// Shares arrive as numbers, as the strings inf and nan, or as null.
function share(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value === "inf" ? "∞" : value;
  if (value === 0) return "0";
  if (value >= 1e5 || value < 1e-3) return power(value);
  if (value >= 100) return whole(Math.round(value));
  const rounded = Number(value.toPrecision(2));
  // Only a share of exactly 1 reads as 1.
  return rounded !== 1 || value === 1 ? String(rounded) : value < 1 ? "<1" : ">1";
}

const SUPERSCRIPTS = Object.fromEntries([..."0123456789-"].map((sign, place) => [sign, "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"[place]]));

function power(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  return digits + " × 10" + [...String(Number(exponent))].map((sign) => SUPERSCRIPTS[sign]).join("");
}

// The same where there is little room: of a share that is far beyond 1, only its power of ten.
function magnitude(value) {
  return typeof value === "number" && value >= 1e5 ? power(value).replace(/^.* × /, "") : share(value);
}

// inf and nan rank above every number, and a missing share below.
const shareRank = (value) => (value === null ? -1 : typeof value === "string" ? Infinity : value);

function largest(shares) {
  return shares.reduce((most, value) => (shareRank(value) > shareRank(most) ? value : most), null);
}

function ulps(value) {
  if (value === null || value === undefined) return "";
  const text =
    typeof value === "string" ? share(value) : value >= 1e6 ? power(value) : whole(Number(value.toPrecision(3)));
  return text + " ULP";
}

// The number of right characters of a number: none if the sign, magnitude or kind differs.
function rightLength(text, truth) {
  if (text === truth || (text !== "" && Number(text) === Number(truth))) return text.length;
  const parts = [text, truth].map((one) => /^(-?)(\d+)(\.\d*)?(e[-+]?\d+)?$/i.exec(one));
  if (parts.includes(null)) return 0;
  const [[, sign, first, , exponent], [, trueSign, trueFirst, , trueExponent]] = parts;
  if (
    sign !== trueSign ||
    first.length !== trueFirst.length ||
    Number((exponent || "e0").slice(1)) !== Number((trueExponent || "e0").slice(1))
  )
    return 0;
  let place = 0;
  while (place < text.length && text[place] === truth[place]) place += 1;
  // So far there may be a sign but no digit.
  return /[1-9]/.test(text.slice(0, place)) ? place : 0;
}

// The one rule of marks: of two numbers that differ, both are marked from the first digit on in which they do. Where
// all digits of one stand in the other, its last is marked.
function marked(text, other, last = text.length) {
  const right = rightLength(text, other);
  if (right === text.length && Number(text) === Number(other)) return [text];
  const start = Math.min(right, text.replace(/e.*/i, "").length - 1);
  const end = Math.max(last, start + 1);
  return [text.slice(0, start), el("mark", {}, text.slice(start, end)), text.slice(end)];
}

const digits = (text, other) => el("span", { class: "digits" }, marked(text, other));

// A sentence on the worst element, with its digits marked.
function markedSentence(text, worst) {
  if (!worst) return [text];
  const [is, should] = ["is " + worst.observed, ", should be " + worst.expected];
  const at = text.indexOf(is + should);
  if (at < 0) return [text];
  return [
    text.slice(0, at) + "is ",
    marked(worst.observed, worst.expected),
    ", should be ",
    marked(worst.expected, worst.observed),
    text.slice(at + is.length + should.length),
  ];
}

// A share as a measure of an error.
function budgets(value) {
  const text = share(value);
  return shareRank(value) <= 1 ? text + " of its budget" : value === "nan" ? "no number" : text + " times its budget";
}

const NUMBER = /[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)/gi;

// An array beside another, with digits marked in the numbers that are beyond their budget.
function markedArray(text, other, wrong) {
  const numbers = text.match(NUMBER) || [],
    others = other.match(NUMBER) || [];
  if (numbers.length !== others.length) return [text];
  return text.split(NUMBER).flatMap((gap, place) => {
    const number = numbers[place] || "";
    return [gap, ...(number && wrong.includes(place) ? marked(number, others[place]) : [number])];
  });
}

// Whether the true number rounds to a printed decimal at its last digit.
function rounds(printed, truth) {
  const [, decimals = ""] = /\.(\d*)/.exec(printed) || [];
  const exponent = Number((/e([-+]?\d+)$/i.exec(printed) || [0, 0])[1]);
  const half = 0.5 * 10 ** (exponent - decimals.length);
  return printed === truth || Math.abs(Number(printed) - Number(truth)) <= half * (1 + 1e-9);
}
