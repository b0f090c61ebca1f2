// The tokens of a filter, as Python's tokenizer reads them.

const NUMBER =
  /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?/;
const STRING = /([rRuU]?)("""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/;
// A colon within a name belongs to it: acc:best is one name.
const NAME = /[\p{L}_][\p{L}\p{N}_]*(?::[\p{L}\p{N}_]+)*/u;
const SIGN = /\*\*|\/\/|<<|>>|&&|\|\||==|!=|<=|>=|[-+*/%<>()[\],.&|^@~]/;
const TOKEN = new RegExp(`(?:${STRING.source})|(${NUMBER.source})|(${NAME.source})|(${SIGN.source})`, "uy");

const KEYWORDS = new Set(
  "as assert async await break class continue def del elif except finally for from global import lambda nonlocal pass raise return try while with yield".split(" "),
);
const OPERATORS = new Set(["and", "or", "not", "in", "is", "if", "else"]);
const ESCAPES = { "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
const FOREIGN = { "&&": "and", "||": "or", "!": "not", "=": "==" };

export class ExpressionError extends Error {}

/** Return an error that names the column, which counts characters from 1. */
export function errorAt(column, problem) {
  return new ExpressionError(`column ${column}: ${problem}`);
}

/** Return the error of a text that is no expression; for a sign of another language it names ours. */
export function syntaxError(text, column) {
  const masked = text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs, (string) => ".".repeat(string.length));
  const foreign = /&&|\|\||!(?!=)|(?<![=!<>])=(?!=)/.exec(masked);
  if (foreign) {
    return errorAt(columnOf(text, foreign.index), `write \`${FOREIGN[foreign[0]]}\` for \`${foreign[0]}\``);
  }
  return errorAt(column, "no expression; write it as `lr < 0.1 and opt == 'sgd'`");
}

function columnOf(text, at) {
  return [...text.slice(0, at)].length + 1;
}

/** Return the tokens of a text: each a kind (value, name or sign), a column, and a text or value. */
export function tokens(text) {
  const list = [];
  let at = 0;
  for (;;) {
    at += text.slice(at).match(/^(?:[ \t\f]+|#.*)*/)[0].length;
    if (at === text.length) return list;
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const column = columnOf(text, at);
    if (!match) throw syntaxError(text, column);
    list.push({ ...token(match, text, column), column });
    at = TOKEN.lastIndex;
  }
}

/** @param {any} match */
function token([match, prefix, string, number, name], text, column) {
  if (string) return { kind: "value", value: unquoted(string, prefix.toLowerCase() === "r"), isText: true };
  if (number) {
    if (/^0[_\d]*[1-9][_\d]*$/.test(number)) throw syntaxError(text, column);
    return { kind: "value", value: Number(number.replaceAll("_", "")) };
  }
  if (KEYWORDS.has(name)) throw syntaxError(text, column);
  return { kind: name && !OPERATORS.has(name) ? "name" : "sign", text: match };
}

function unquoted(string, isRaw) {
  const width = /^("""|''')/.test(string) ? 3 : 1;
  const inner = string.slice(width, -width);
  if (isRaw) return inner;
  return inner.replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|(.))/gs, (escape, x, u, U, octal, letter) => {
    const hex = x ?? u ?? U;
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return octal ? String.fromCodePoint(parseInt(octal, 8)) : (ESCAPES[letter] ?? escape);
  });
}
