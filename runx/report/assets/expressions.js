// The filter: expressions as `sumx --where` has them, in Python's words. A missing value is null,
// and a comparison with null is false.

import { ExpressionError, FOREIGN, hint, tokens } from "./tokens.js";

const COMPARISONS = new Set(["==", "!=", "<", "<=", ">", ">=", "in", "not in"]);
const CONSTANTS = new Map(
  Object.entries({ true: true, false: false, none: null, null: null, True: true, False: false, None: null }),
);
const FUNCTIONS = {
  abs: Math.abs,
  ceil: Math.ceil,
  exp: Math.exp,
  floor: Math.floor,
  float: Number,
  int: (value) => Math.trunc(Number(value)),
  isnan: (value) => Number.isNaN(Number(value)),
  len: (value) => value.length,
  log: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  max: Math.max,
  min: Math.min,
  round: (value, digits = 0) => Number(Number(value).toFixed(digits)),
  sqrt: Math.sqrt,
  str: String,
};

function isTrue(value) {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function same(one, other) {
  const pair = [one, other].map((value) => (typeof value === "number" ? value : JSON.stringify(value)));
  return pair[0] === pair[1];
}

function compared(sign, one, other) {
  if (sign === "in" || sign === "not in") {
    if (other === null) return false;
    const inside = Array.isArray(other)
      ? other.some((item) => same(item, one))
      : String(other).includes(String(one));
    return inside === (sign === "in");
  }
  if (one === null || other === null) return false;
  if (sign === "==") return same(one, other);
  if (sign === "!=") return !same(one, other);
  if (typeof one !== typeof other) return false;
  return { "<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other }[sign];
}

function calculated(sign, one, other) {
  if (one === null || other === null) return null;
  if (sign === "+") return one + other;
  if (sign === "-") return one - other;
  if (sign === "*") return one * other;
  if (sign === "/") return one / other;
  if (sign === "//") return Math.floor(one / other);
  if (sign === "%") return one - other * Math.floor(one / other);
  return one ** other;
}

/** Reads tokens from the loosest operator down; each method gives a function of the names. */
class Parser {
  constructor(text, known) {
    this.tokens = tokens(text);
    this.known = known;
    this.at = 0;
    this.end = text.length + 1;
  }

  get next() {
    return this.tokens[this.at];
  }

  takes(...texts) {
    const token = this.next;
    if (!token || token.kind === "value" || !texts.includes(token.text)) return null;
    this.at += 1;
    return token.text;
  }

  wants(text) {
    if (!this.takes(text)) this.fail(`${text} is missing`);
  }

  fail(problem) {
    throw new ExpressionError(`column ${this.next?.column ?? this.end}: ${problem}`);
  }

  whole() {
    const step = this.either();
    if (this.next) {
      this.fail(FOREIGN[this.next.text] ? hint(this.next.text) : "this should have ended here");
    }
    return step;
  }

  either() {
    let left = this.both();
    while (this.takes("or")) {
      const [one, other] = [left, this.both()];
      left = (names) => (isTrue(one(names)) ? one(names) : other(names));
    }
    return left;
  }

  both() {
    let left = this.negation();
    while (this.takes("and")) {
      const [one, other] = [left, this.negation()];
      left = (names) => (isTrue(one(names)) ? other(names) : one(names));
    }
    return left;
  }

  negation() {
    if (!this.takes("not")) return this.comparison();
    const inner = this.negation();
    return (names) => !isTrue(inner(names));
  }

  sign() {
    if (this.takes("not")) {
      this.wants("in");
      return "not in";
    }
    return this.takes(...COMPARISONS);
  }

  comparison() {
    const first = this.sum();
    const links = [];
    let left = first;
    for (let sign = this.sign(); sign; sign = this.sign()) {
      const [one, other, how] = [left, this.sum(), sign];
      links.push((names) => {
        const isNull = one.isNull || other.isNull;
        if (isNull && how === "==") return one(names) === other(names);
        if (isNull && how === "!=") return one(names) !== other(names);
        return compared(how, one(names), other(names));
      });
      left = other;
    }
    return links.length ? (names) => links.every((link) => link(names)) : first;
  }

  binary(signs, operand) {
    let left = operand.call(this);
    for (let sign = this.takes(...signs); sign; sign = this.takes(...signs)) {
      const [one, other, how] = [left, operand.call(this), sign];
      left = (names) => calculated(how, one(names), other(names));
    }
    return left;
  }

  sum() {
    return this.binary(["+", "-"], this.product);
  }

  product() {
    return this.binary(["*", "/", "//", "%"], this.signed);
  }

  signed() {
    if (this.takes("-")) {
      const inner = this.signed();
      return (names) => calculated("-", 0, inner(names));
    }
    this.takes("+");
    return this.power();
  }

  power() {
    const base = this.atom();
    if (!this.takes("**")) return base;
    const exponent = this.signed();
    return (names) => calculated("**", base(names), exponent(names));
  }

  atom() {
    const token = this.next;
    if (!token) this.fail("a value is missing");
    if (token.kind === "value") {
      this.at += 1;
      return () => token.value;
    }
    if (this.takes("(")) return this.items(")");
    if (this.takes("[")) return this.items("]", true);
    if (token.kind !== "name") this.fail(`${token.text} can't stand here`);
    this.at += 1;
    return this.named(token);
  }

  items(end, isList = false) {
    const steps = [];
    let commas = 0;
    while (!this.takes(end)) {
      steps.push(this.either());
      if (this.takes(",")) commas += 1;
      else {
        this.wants(end);
        break;
      }
    }
    if (!isList && !commas && steps.length === 1) return steps[0];
    return (names) => steps.map((step) => step(names));
  }

  named(token) {
    const name = token.text;
    if (name === "hp" && this.takes("[")) {
      const key = this.next;
      if (key?.kind !== "value") this.fail("write the name in quotes: hp['batch-size']");
      this.at += 1;
      this.wants("]");
      return this.lookup(String(key.value), key);
    }
    if (Object.hasOwn(FUNCTIONS, name) && !this.known.has(name) && this.takes("(")) {
      const list = this.items(")", true);
      return (names) => {
        const values = list(names);
        return values.includes(null) ? null : FUNCTIONS[name](...values);
      };
    }
    return this.lookup(name, token);
  }

  lookup(name, token) {
    if (this.known.has(name)) return (names) => names(name) ?? null;
    if (CONSTANTS.has(name)) {
      const step = () => CONSTANTS.get(name);
      step.isNull = CONSTANTS.get(name) === null;
      return step;
    }
    const known = [...this.known].slice(0, 12).join(", ");
    throw new ExpressionError(`column ${token.column}: ${name} is unknown; known are: ${known}`);
  }
}

/** Read an expression over known names; gives a function of a function from name to value. */
export function parse(text, known) {
  const step = new Parser(text, known).whole();
  return (names) => isTrue(step(names));
}
