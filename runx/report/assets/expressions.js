// The filter's expressions, which are those of `sumx --where`: runx/sweeps/expressions.py defines
// them, and tests/sweeps/expressions_cases.json has the cases that both are tested with.

import { errorAt, ExpressionError, syntaxError, tokens } from "./tokens.js";
import { BINARY, COMPARISONS, FUNCTIONS, isTrue, itemOf, UNARY } from "./arithmetic.js";
import { Steps } from "./steps.js";
import { remedy } from "./nearest.js";

const CONSTANTS = new Map(Object.entries({ true: true, false: false, none: null, null: null }));
const LITERALS = new Set(["True", "False", "None"]);
const FOREIGN_OPERATIONS = { "&": "BitAnd", "|": "BitOr", "^": "BitXor", "<<": "LShift", ">>": "RShift", "@": "MatMult" };
const LONGEST = 10_000;

/** A recursive-descent parser; each method returns a step: a function of the names' values. */
class Parser extends Steps {
  constructor(text, columns) {
    super();
    this.text = text;
    this.tokens = tokens(text);
    this.columns = columns;
    this.at = 0;
  }

  get next() {
    return this.tokens[this.at];
  }

  get column() {
    return this.next?.column ?? [...this.text].length + 1;
  }

  takes(...texts) {
    const token = this.next;
    if (token?.kind !== "sign" || !texts.includes(token.text)) return null;
    this.at += 1;
    return token.text;
  }

  wants(text) {
    if (!this.takes(text)) throw syntaxError(this.text, this.column);
  }

  expression() {
    const first = this.choice();
    const step = this.takes(",") ? this.listOf([first], null) : first;
    if (this.next) throw syntaxError(this.text, this.column);
    if (this.problem) throw this.problem;
    return step;
  }

  choice() {
    return this.nested(this.chosen);
  }

  chosen() {
    const body = this.either();
    if (!this.takes("if")) return body;
    const test = this.either();
    this.wants("else");
    const otherwise = this.choice();
    return this.step((names) => (isTrue(test(names)) ? body(names) : otherwise(names)), body, test, otherwise);
  }

  either() {
    return this.joined("or", this.both, true);
  }

  both() {
    return this.joined("and", this.negation, false);
  }

  /** Read operands of `and` or `or`; the value is that of the first that decides, else of the last. */
  joined(operator, operand, decides) {
    const steps = [operand.call(this)];
    while (this.takes(operator)) steps.push(operand.call(this));
    if (steps.length === 1) return steps[0];
    const last = steps.length - 1;
    return this.step((names) => {
      for (const step of steps.slice(0, last)) {
        const value = step(names);
        if (isTrue(value) === decides) return value;
      }
      return steps[last](names);
    }, ...steps);
  }

  negation() {
    const { column } = this;
    return this.takes("not") ? this.applied(column, UNARY.not, this.nested(this.negation)) : this.comparison();
  }

  comparison() {
    const { column } = this;
    const first = this.bits();
    const links = [];
    const steps = [first];
    for (let sign = this.sign(); sign; sign = this.sign()) {
      const left = steps.at(-1);
      const right = this.bits();
      steps.push(right);
      links.push(this.link(column, sign, left, right));
    }
    return links.length ? this.step((names) => links.every((link) => link(names)), ...steps) : first;
  }

  /** Return one comparison of a chain. With a literal null, == is true of null alone. */
  link(column, sign, left, right) {
    const wanted = { "==": true, is: true, "!=": false, "is not": false }[sign];
    if (wanted !== undefined && (left.isNull || right.isNull)) {
      return (names) => (left(names) === right(names)) === wanted;
    }
    if (sign.startsWith("is")) return this.refused(column, "`is` compares with none alone; write == or !=");
    return this.compared(column, COMPARISONS[sign], left, right);
  }

  sign() {
    const sign = this.takes("==", "!=", "<", "<=", ">", ">=", "in", "is", "not");
    if (sign === "is" && this.takes("not")) return "is not";
    if (sign !== "not") return sign;
    this.wants("in");
    return "not in";
  }

  binary(signs, operand) {
    const { column } = this;
    let left = operand.call(this);
    for (let sign = this.takes(...signs); sign; sign = this.takes(...signs)) {
      const right = operand.call(this);
      const foreign = FOREIGN_OPERATIONS[sign];
      left = foreign
        ? this.refused(column, `${foreign} is no operation here; + - * / // % ** are`)
        : this.applied(column, BINARY[sign], left, right);
    }
    return left;
  }

  /** Read Python's bit operations, which expressions refuse by name. */
  bits() {
    return this.binary(["&", "|", "^", "<<", ">>"], this.sum);
  }

  sum() {
    return this.binary(["+", "-"], this.product);
  }

  product() {
    return this.binary(["*", "/", "//", "%", "@"], this.signed);
  }

  signed() {
    const { column } = this;
    const sign = this.takes("-", "+", "~");
    if (sign === "~") {
      this.nested(this.signed);
      return this.refused(column, "~ is no operation here; write `not`");
    }
    return sign ? this.applied(column, UNARY[sign], this.nested(this.signed)) : this.power();
  }

  power() {
    const { column } = this;
    const base = this.item();
    return this.takes("**") ? this.applied(column, BINARY["**"], base, this.signed()) : base;
  }

  /** Read an atom and the indices after it. */
  item() {
    const { column } = this;
    let step = this.atom();
    while (this.takes("[")) {
      const index = this.choice();
      this.wants("]");
      step = this.applied(column, itemOf, step, index);
    }
    if (this.takes(".")) throw errorAt(column, "Attribute is not part of an expression; see docs/sweeps.md");
    return step;
  }

  atom() {
    const token = this.next;
    if (token?.kind === "value") return this.constant();
    if (token?.kind === "name") return this.named();
    if (this.takes("(")) return this.parenthesized();
    if (this.takes("[")) return this.listOf([], "]");
    throw syntaxError(this.text, this.column);
  }

  constant() {
    let { value, isText } = this.next;
    this.at += 1;
    // Adjacent strings are one.
    for (; isText && this.next?.isText; this.at += 1) value += this.next.value;
    return this.literal(value);
  }

  parenthesized() {
    if (this.takes(")")) return this.step(() => []);
    const first = this.choice();
    if (this.takes(",")) return this.listOf([first], ")");
    this.wants(")");
    return first;
  }

  /** Read the further items of a list up to its end; without one, up to the end of the text. */
  listOf(steps, end) {
    const items = this.items(steps, end);
    return this.step((names) => items.map((item) => item(names)), ...items);
  }

  items(steps, end) {
    const isOver = () => (end === null ? !this.next : this.takes(end));
    while (!isOver()) {
      steps.push(this.choice());
      if (this.takes(",")) continue;
      if (!isOver()) throw syntaxError(this.text, this.column);
      break;
    }
    return steps;
  }

  /** Read a name, dotted or in hp['...'], or a call. */
  named() {
    const { column, text } = this.next;
    this.at += 1;
    if (LITERALS.has(text)) return this.literal(CONSTANTS.get(text.toLowerCase()));
    const name = text === "hp" ? (this.quoted() ?? text) : text;
    const path = [name, ...this.attributes()].join(".");
    if (this.takes("(")) return this.call(column, path);
    return this.lookup(column, path);
  }

  quoted() {
    const [bracket, key, end] = this.tokens.slice(this.at, this.at + 3);
    if (bracket?.text !== "[" || key?.kind !== "value" || end?.text !== "]") return null;
    this.at += 3;
    return String(key.value);
  }

  attributes() {
    const names = [];
    while (this.takes(".")) {
      if (this.next?.kind !== "name") throw syntaxError(this.text, this.column);
      names.push(this.next.text);
      this.at += 1;
    }
    return names;
  }

  call(column, name) {
    const values = this.items([], ")");
    if (!Object.hasOwn(FUNCTIONS, name)) {
      return this.refused(column, `${name}() can't be called so: ${remedy(name, Object.keys(FUNCTIONS))}`);
    }
    return this.applied(column, FUNCTIONS[name], ...values);
  }

  lookup(column, name) {
    if (this.columns.has(name)) return this.step((names) => names(name) ?? null);
    const constant = CONSTANTS.get(name.toLowerCase());
    if (constant === undefined) return this.refused(column, `${name} is unknown: ${remedy(name, this.columns.keys())}`);
    const isNull = name === "none" || name === "null";
    return Object.assign(this.step(() => constant), { isNull });
  }
}

/**
 * Compile an expression over columns; its value is a function of a function from name to value.
 * Where it is lenient, what can't be computed of some values is null, and a comparison of what
 * can't be compared is false; else that throws.
 */
export function evaluator(text, columns, lenient = false) {
  if (text.length > LONGEST) throw errorAt(1, `${text.length} characters are too long an expression`);
  const parser = new Parser(text.replace(/[\r\n]/g, " "), columns);
  return Object.assign(parser, { lenient }).expression();
}

/**
 * Return those of some runs for which a condition holds; `lookup` gives a run's value of a column.
 * A run whose values don't fit stops nothing, unless those of no run do: then that is thrown.
 */
export function matching(text, columns, runs, lookup) {
  const [strict, lenient] = [evaluator(text, columns), evaluator(text, columns, true)];
  const unfit = [];
  const chosen = runs.filter((run) => {
    const names = (name) => lookup(run, columns.get(name));
    try {
      return isTrue(strict(names));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      unfit.push(error);
      return isTrue(lenient(names));
    }
  });
  if (unfit.length && unfit.length === runs.length && !chosen.length) throw unfit[0];
  return chosen;
}
