// The steps that an expression is compiled to: functions of the names, each with the depth of its tree.

import { errorAt } from "./tokens.js";
import { Unfit } from "./arithmetic.js";

const DEEPEST = 60;
const NESTED = 200; // pairs of parentheses, which are no nodes of Python's tree
const TOO_DEEP = `nested more than ${DEEPEST} deep; simplify it`;

/** The part of a parser that makes steps of steps, and notes why an expression is refused. */
export class Steps {
  nesting = 0;
  /** @type {Error | null} */
  problem = null;
  lenient = false;

  /** Note why an expression is refused; the first reason counts, and syntax errors before it. */
  refused(column, problem) {
    this.problem ??= errorAt(column, problem);
    return this.literal(null);
  }

  /** Call a method that reads nested steps, but not more deeply than the stack allows. */
  nested(read) {
    this.nesting += 1;
    if (this.nesting > NESTED) throw errorAt(1, TOO_DEEP);
    const step = read.call(this);
    this.nesting -= 1;
    return step;
  }

  /** Return a step with its parts; `depth` is that of Python's tree, which is bounded. */
  step(call, ...parts) {
    const depth = 1 + Math.max(1, ...parts.map((part) => part.depth));
    if (depth > DEEPEST) throw errorAt(1, TOO_DEEP);
    return Object.assign(call, { depth });
  }

  /** Return a step that applies an operation; its error names the column, or its value is null. */
  applied(column, operation, ...parts) {
    return this.attempted(null, column, operation, parts);
  }

  /** Return a step that compares; what can't be compared is an error, or not so. */
  compared(column, comparison, ...parts) {
    return this.attempted(false, column, comparison, parts);
  }

  attempted(instead, column, operation, parts) {
    return this.step((names) => {
      const values = parts.map((part) => part(names));
      try {
        return operation(...values);
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        if (this.lenient) return instead;
        throw errorAt(column, error.message);
      }
    }, ...parts);
  }

  literal(value) {
    return Object.assign(() => value, { depth: 1, isNull: value === null });
  }
}
