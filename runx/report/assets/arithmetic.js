// What expressions can do with values, as runx/sweeps/arithmetic.py does it: null passes through.
// A list is an array. Numbers are JavaScript's, so that 1.0 is 1 and whole numbers end at 2^53.

/** Values that an operation does not take; the message says which. */
export class Unfit extends Error {}

const isNumeric = (value) => typeof value === "number" || typeof value === "boolean";
const isText = (value) => typeof value === "string";
const length = (value) => (isText(value) ? [...value].length : value.length);

/** Say whether a value is true to Python: NaN is, an empty list is not. */
export function isTrue(value) {
  if (typeof value === "number") return value !== 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Write a value as Python's repr does. */
export function represented(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return numberText(value);
  if (isText(value)) {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const escaped = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t");
    return quote + escaped.replaceAll(quote, `\\${quote}`) + quote;
  }
  if (!Array.isArray(value)) return JSON.stringify(value);
  return `(${value.map(represented).join(", ")}${value.length === 1 ? "," : ""})`;
}

function numberText(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Number.isSafeInteger(value)) return String(value);
  const [digits, power] = value.toExponential().split("e");
  if (power >= -4 && power < 16) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Write a value for an error, shortened. */
export function shown(value) {
  if (value === null) return "null";
  return represented(isText(value) && length(value) > 30 ? `${[...value].slice(0, 30).join("")}...` : value);
}

function numeric(operation) {
  return (one, other) => {
    if (one === null || other === null) return null;
    if (!isNumeric(one) || !isNumeric(other)) {
      throw new Unfit(`${shown(one)} and ${shown(other)} are not both numbers`);
    }
    return operation(Number(one), Number(other)) + 0;
  };
}

const sum = numeric((one, other) => one + other);

function added(one, other) {
  if (isText(one) && isText(other)) return one + other;
  if (Array.isArray(one) && Array.isArray(other)) return [...one, ...other];
  if (isText(one) || isText(other)) {
    throw new Unfit(`${shown(one)} and ${shown(other)} don't add; write str(...) around the number`);
  }
  return sum(one, other);
}

/** Return what is left of a division, with the divisor's sign. */
function remainder(one, other) {
  if (other === 0) throw new Unfit("division by zero");
  const rest = one % other;
  return rest && rest < 0 !== other < 0 ? rest + other : rest;
}

function floored(one, other) {
  if (other === 0) throw new Unfit("division by zero");
  const rest = one % other;
  const quotient = (one - rest) / other;
  // The quotient is whole but for the rounding of its last digit.
  return Math.round(rest && rest < 0 !== other < 0 ? quotient - 1 : quotient);
}

function divided(one, other) {
  if (other === 0) throw new Unfit("division by zero");
  return one / other;
}

function power(base, exponent) {
  if (base === 0 && exponent < 0) throw new Unfit("division by zero");
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  const result = base ** exponent;
  const text = `${numberText(base)} ** ${numberText(exponent)}`;
  if (Number.isNaN(result) && base < 0 && Number.isFinite(exponent)) throw new Unfit(`${text} is no real number`);
  if (!Number.isFinite(result) && Number.isFinite(base) && Number.isFinite(exponent)) throw new Unfit(`${text} is too large`);
  return result;
}

/** Say whether two values are equal: 1 and true are, 1 and "1" are not. */
function equal(one, other) {
  if (isNumeric(one) && isNumeric(other)) return Number(one) === Number(other);
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, at) => equal(item, other[at]));
}

/** Return less than zero where one value comes before another, NaN where neither does. */
function order(one, other) {
  if (isNumeric(one) && isNumeric(other)) {
    return Number(one) === Number(other) ? 0 : Number(one) < Number(other) ? -1 : Number(one) > Number(other) ? 1 : NaN;
  }
  const isAlike = (isText(one) && isText(other)) || (Array.isArray(one) && Array.isArray(other));
  if (!isAlike) throw new Unfit(`${shown(one)} can't be compared with ${shown(other)}`);
  const [left, right] = isText(one) ? [codes(one), codes(other)] : [one, other];
  const at = left.findIndex((item, nth) => nth < right.length && !equal(item, right[nth]));
  return at < 0 ? left.length - right.length : order(left[at], right[at]);
}

function codes(text) {
  return [...text].map((letter) => letter.codePointAt(0));
}

function ordered(comparison) {
  return (one, other) => one !== null && other !== null && comparison(one, other);
}

function contained(one, other) {
  if (isText(other) && !isText(one)) {
    throw new Unfit(`${shown(one)} is no text, so it is not looked for in ${shown(other)}`);
  }
  if (isText(other)) return other.includes(one);
  if (!Array.isArray(other)) throw new Unfit(`${shown(other)} is neither a list nor text; write in (...)`);
  return other.some((item) => equal(item, one));
}

export const BINARY = {
  "+": added,
  "-": numeric((one, other) => one - other),
  "*": numeric((one, other) => one * other),
  "/": numeric(divided),
  "//": numeric(floored),
  "%": numeric(remainder),
  "**": numeric(power),
};

export const COMPARISONS = {
  "==": ordered(equal),
  "!=": ordered((one, other) => !equal(one, other)),
  "<": ordered((one, other) => order(one, other) < 0),
  "<=": ordered((one, other) => order(one, other) <= 0),
  ">": ordered((one, other) => order(one, other) > 0),
  ">=": ordered((one, other) => order(one, other) >= 0),
  in: ordered(contained),
  "not in": ordered((one, other) => !contained(one, other)),
};

export const UNARY = {
  "-": (value) => BINARY["-"](0, value),
  "+": (value) => sum(0, value),
  not: (value) => !isTrue(value),
};

function number(value) {
  if (!isNumeric(value)) throw new Unfit(`must be a number, not ${shown(value)}`);
  return Number(value);
}

/** Make a function of one number; where it has no finite result for a finite number, an error. */
function real(operation, most = 1) {
  return (...values) => {
    if (values.length < 1 || values.length > most) throw new Unfit(`takes ${most} numbers at most, and one at least`);
    const numbers = values.map(number);
    const result = operation(...numbers);
    if (numbers.every(Number.isFinite) && !Number.isFinite(result)) throw new Unfit("math domain or range error");
    return result;
  };
}

function whole(operation) {
  return real((value) => {
    if (!Number.isFinite(value)) throw new Unfit(`${numberText(value)} can't be made a whole number`);
    return operation(value) + 0;
  });
}

const logarithm = real((value, base) => {
  if (base === undefined) return Math.log(value);
  return divided(real(Math.log)(value), real(Math.log)(base));
}, 2);

function asFloat(value = 0) {
  if (!isText(value)) return number(value);
  const text = value.trim().replace(/(?<=\d)_(?=\d)/g, "");
  const named = /^([-+]?)(nan|inf|infinity)$/i.exec(text);
  if (named) return named[2][0].toLowerCase() === "n" ? NaN : named[1] === "-" ? -Infinity : Infinity;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) throw new Unfit(`could not convert text to a number: ${shown(value)}`);
  return Number(text);
}

function asWhole(value = 0) {
  if (!isText(value)) return whole(Math.trunc)(value);
  if (!/^[-+]?\d+(_\d+)*$/.test(value.trim())) throw new Unfit(`${shown(value)} is no whole number`);
  return Number(value.trim().replaceAll("_", ""));
}

function size(value) {
  if (!isText(value) && !Array.isArray(value)) throw new Unfit(`${shown(value)} has no length`);
  return length(value);
}

/** Make max or min: the first of several values, or of one list's, that no other passes. */
function extreme(passes) {
  return (...values) => {
    const items = values.length === 1 ? values[0] : values;
    if (!isText(items) && !Array.isArray(items)) throw new Unfit(`${shown(items)} is no list`);
    if (!items.length) throw new Unfit("nothing is the most or the least of an empty list");
    return [...items].reduce((best, item) => (passes(order(item, best)) ? item : best));
  };
}

const MOST_PLACES = 300;
const WRITTEN = 100; // places that toFixed writes

/** Round as Python does: what lies in the middle goes to the even side. */
function rounded(value, places) {
  const given = number(value);
  if (places === undefined) {
    if (!Number.isFinite(given)) throw new Unfit(`${numberText(given)} can't be made a whole number`);
    return roundedTo(given, 0);
  }
  if (!isNumeric(places) || !Number.isInteger(Number(places)) || Math.abs(places) > MOST_PLACES) {
    throw new Unfit(`${shown(places)} is no number of places`);
  }
  return Number.isFinite(given) ? roundedTo(given, Number(places)) : given;
}

function roundedTo(value, places) {
  if (places >= WRITTEN || (places >= 0 && Number.isInteger(value))) return value;
  const [digits, rest] = exactly(Math.abs(value), places);
  const up = rest > 0 || (rest === 0 && digits % 2n === 1n);
  const scaled = digits + (up ? 1n : 0n);
  return (Math.sign(value) || 1) * Number(`${scaled}e${-places}`) + 0;
}

/** Return a number's digits down to a place, and whether more or less than half is left: 1, 0 or -1. */
function exactly(value, places) {
  const [before, after = ""] = Number.isInteger(value) ? [String(BigInt(value))] : value.toFixed(WRITTEN).split(".");
  const text = before.padStart(-Math.min(places, 0) + 1, "0") + after;
  const at = text.length - after.length + places;
  const tail = text.slice(at);
  const half = tail.padEnd(1, "0").replace(/0+$/, "");
  return [BigInt(text.slice(0, at) || "0"), half === "5" ? 0 : half > "5" ? 1 : -1];
}

const OF_VALUES = {
  abs: real(Math.abs),
  ceil: whole(Math.ceil),
  exp: real(Math.exp),
  float: asFloat,
  floor: whole(Math.floor),
  int: asWhole,
  isnan: (value) => Number.isNaN(number(value)),
  len: size,
  log: logarithm,
  log10: real(Math.log10),
  log2: real(Math.log2),
  max: extreme((sign) => sign > 0),
  min: extreme((sign) => sign < 0),
  round: rounded,
  sqrt: real(Math.sqrt),
  str: (value = "") => (isText(value) ? value : represented(value)),
};

/** Functions that an expression may call; null makes null of them. */
export const FUNCTIONS = Object.fromEntries(
  Object.entries(OF_VALUES).map(([name, call]) => [name, (...values) => (values.includes(null) ? null : call(...values))]),
);

/** Return an item of a list, or a letter of a text, by its place. */
export function itemOf(values, index) {
  if (values === null || index === null) return null;
  if ((!isText(values) && !Array.isArray(values)) || !isNumeric(index) || !Number.isInteger(Number(index))) {
    throw new Unfit(`${shown(values)}[${shown(index)}] is no item of a list`);
  }
  const items = [...values];
  if (index < -items.length || index >= items.length) throw new Unfit(`${shown(values)} has no item ${shown(index)}`);
  return items.at(Number(index));
}
