// The operations and functions of expressions, as runx/sweeps/arithmetic.py has them: of null they
// return null. A list is an array. Numbers are JavaScript's: 1.0 is 1, and integers end at 2^53.

/** The error of an operation whose values don't fit; its message names them. */
export class Unfit extends Error {}

const isNumeric = (value) => typeof value === "number" || typeof value === "boolean";
const isText = (value) => typeof value === "string";
const length = (value) => (isText(value) ? [...value].length : value.length);

/** Return whether Python takes a value for true: NaN is, an empty list is not. */
export function isTrue(value) {
  if (typeof value === "number") return value !== 0;
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Return a value as Python's repr writes it. */
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

/** Return a value as text for an error, shortened. */
export function shown(value) {
  if (value === null) return "null";
  return represented(isText(value) && length(value) > 30 ? `${[...value].slice(0, 30).join("")}...` : value);
}

function numeric(operation) {
  return (left, right) => {
    if (left === null || right === null) return null;
    if (!isNumeric(left) || !isNumeric(right)) {
      throw new Unfit(`${shown(left)} and ${shown(right)} are not both numbers`);
    }
    return operation(Number(left), Number(right)) + 0;
  };
}

const sum = numeric((left, right) => left + right);

function added(left, right) {
  if (isText(left) && isText(right)) return left + right;
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (isText(left) || isText(right)) {
    throw new Unfit(`${shown(left)} and ${shown(right)} don't add; write str(...) around the number`);
  }
  return sum(left, right);
}

/** Return what is left of a division, with the divisor's sign. */
function remainder(left, right) {
  if (right === 0) throw new Unfit("division by zero");
  const remains = left % right;
  return remains && remains < 0 !== right < 0 ? remains + right : remains;
}

function floored(left, right) {
  if (right === 0) throw new Unfit("division by zero");
  const remains = left % right;
  const quotient = (left - remains) / right;
  // The quotient is an integer but for the rounding of its last digit.
  return Math.round(remains && remains < 0 !== right < 0 ? quotient - 1 : quotient);
}

function divided(left, right) {
  if (right === 0) throw new Unfit("division by zero");
  return left / right;
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

/** Return whether two values are equal: 1 and true are, 1 and "1" are not. */
function equal(left, right) {
  if (isNumeric(left) && isNumeric(right)) return Number(left) === Number(right);
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return left.length === right.length && left.every((item, at) => equal(item, right[at]));
}

/** Return less than zero where a value comes before another, NaN where neither does. */
function order(left, right) {
  if (isNumeric(left) && isNumeric(right)) {
    return Number(left) === Number(right) ? 0 : Number(left) < Number(right) ? -1 : Number(left) > Number(right) ? 1 : NaN;
  }
  const isAlike = (isText(left) && isText(right)) || (Array.isArray(left) && Array.isArray(right));
  if (!isAlike) throw new Unfit(`${shown(left)} can't be compared with ${shown(right)}`);
  const [items, others] = isText(left) ? [codes(left), codes(right)] : [left, right];
  const at = items.findIndex((item, nth) => nth < others.length && !equal(item, others[nth]));
  return at < 0 ? items.length - others.length : order(items[at], others[at]);
}

function codes(text) {
  return [...text].map((letter) => letter.codePointAt(0));
}

function ordered(comparison) {
  return (left, right) => left !== null && right !== null && comparison(left, right);
}

function contained(left, right) {
  if (isText(right) && !isText(left)) {
    throw new Unfit(`${shown(left)} is no text, so it is not looked for in ${shown(right)}`);
  }
  if (isText(right)) return right.includes(left);
  if (!Array.isArray(right)) throw new Unfit(`${shown(right)} is neither a list nor text; write in (...)`);
  return right.some((item) => equal(item, left));
}

export const BINARY = {
  "+": added,
  "-": numeric((left, right) => left - right),
  "*": numeric((left, right) => left * right),
  "/": numeric(divided),
  "//": numeric(floored),
  "%": numeric(remainder),
  "**": numeric(power),
};

export const COMPARISONS = {
  "==": ordered(equal),
  "!=": ordered((left, right) => !equal(left, right)),
  "<": ordered((left, right) => order(left, right) < 0),
  "<=": ordered((left, right) => order(left, right) <= 0),
  ">": ordered((left, right) => order(left, right) > 0),
  ">=": ordered((left, right) => order(left, right) >= 0),
  in: ordered(contained),
  "not in": ordered((left, right) => !contained(left, right)),
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

/** Return a function of numbers that throws where it has no finite result for finite numbers. */
function real(operation, most = 1) {
  return (...values) => {
    if (values.length < 1 || values.length > most) throw new Unfit(`takes ${most} numbers at most, and one at least`);
    const numbers = values.map(number);
    const result = operation(...numbers);
    if (numbers.every(Number.isFinite) && !Number.isFinite(result)) throw new Unfit("math domain or range error");
    return result;
  };
}

function integer(operation) {
  return real((value) => {
    if (!Number.isFinite(value)) throw new Unfit(`${numberText(value)} can't be made a whole number`);
    return operation(value) + 0;
  });
}

const logarithm = real((value, base) => {
  if (base === undefined) return Math.log(value);
  return divided(real(Math.log)(value), real(Math.log)(base));
}, 2);

/** @param {any} value */
function asFloat(value = 0) {
  if (!isText(value)) return number(value);
  const text = value.trim().replace(/(?<=\d)_(?=\d)/g, "");
  const named = /^([-+]?)(nan|inf|infinity)$/i.exec(text);
  if (named) return named[2][0].toLowerCase() === "n" ? NaN : named[1] === "-" ? -Infinity : Infinity;
  if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) throw new Unfit(`could not convert text to a number: ${shown(value)}`);
  return Number(text);
}

/** @param {any} value */
function asInteger(value = 0) {
  if (!isText(value)) return integer(Math.trunc)(value);
  if (!/^[-+]?\d+(_\d+)*$/.test(value.trim())) throw new Unfit(`${shown(value)} is no whole number`);
  return Number(value.trim().replaceAll("_", ""));
}

function size(value) {
  if (!isText(value) && !Array.isArray(value)) throw new Unfit(`${shown(value)} has no length`);
  return length(value);
}

/** Return max or min: the first of several values, or of a list's items, that no other passes. */
function extreme(passes) {
  return (...values) => {
    const items = values.length === 1 ? values[0] : values;
    if (!isText(items) && !Array.isArray(items)) throw new Unfit(`${shown(items)} is no list`);
    if (!items.length) throw new Unfit("nothing is the most or the least of an empty list");
    return [...items].reduce((best, item) => (passes(order(item, best)) ? item : best));
  };
}

const MOST_PLACES = 300;
const WRITTEN = 100; // decimal places that toFixed can write

/** Return a number rounded as Python does it: halves go to the even digit. */
function rounded(value, places) {
  const unrounded = number(value);
  if (places === undefined) {
    if (!Number.isFinite(unrounded)) throw new Unfit(`${numberText(unrounded)} can't be made a whole number`);
    return roundedTo(unrounded, 0);
  }
  if (!isNumeric(places) || !Number.isInteger(Number(places)) || Math.abs(Number(places)) > MOST_PLACES) {
    throw new Unfit(`${shown(places)} is no number of places`);
  }
  return Number.isFinite(unrounded) ? roundedTo(unrounded, Number(places)) : unrounded;
}

function roundedTo(value, places) {
  if (places >= WRITTEN || (places >= 0 && Number.isInteger(value))) return value;
  const [digits, toHalf] = exactly(Math.abs(value), places);
  const up = toHalf > 0 || (toHalf === 0 && digits % 2n === 1n);
  const scaled = digits + (up ? 1n : 0n);
  return (Math.sign(value) || 1) * Number(`${scaled}e${-places}`) + 0;
}

/**
 * Return a number's digits down to a place, and whether more or less than half is left: 1, 0 or -1.
 *
 * @returns {[bigint, number]}
 */
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
  ceil: integer(Math.ceil),
  exp: real(Math.exp),
  float: asFloat,
  floor: integer(Math.floor),
  int: asInteger,
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

/** Return an item of a list, or a letter of a text, by its index. */
export function itemOf(values, index) {
  if (values === null || index === null) return null;
  if ((!isText(values) && !Array.isArray(values)) || !isNumeric(index) || !Number.isInteger(Number(index))) {
    throw new Unfit(`${shown(values)}[${shown(index)}] is no item of a list`);
  }
  const items = [...values];
  const at = Number(index);
  if (at < -items.length || at >= items.length) throw new Unfit(`${shown(values)} has no item ${shown(index)}`);
  return items.at(at);
}
