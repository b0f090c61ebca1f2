// The words and signs of a filter.

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([\p{L}_][\p{L}\p{N}_]*(?:[.:][\p{L}_][\p{L}\p{N}_]*)*)|(\*\*|\/\/|==|!=|<=|>=|[-+*/%<>()[\],]))/uy;

export class ExpressionError extends Error {}

export function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      const at = start + text.slice(start).search(/\S/);
      throw new ExpressionError(`column ${at + 1}: ${hint(text[at])}`);
    }
    const [, number, string, name, sign] = match;
    const column = TOKEN.lastIndex - (number ?? string ?? name ?? sign).length + 1;
    if (number) found.push({ kind: "value", value: Number(number), column });
    else if (string) found.push({ kind: "value", value: unquoted(string), column });
    else found.push({ kind: name ? "name" : "sign", text: name ?? sign, column });
  }
  return found;
}

export const FOREIGN = { "&": "and", "|": "or", "!": "not", "=": "==" };

export function hint(letter) {
  return FOREIGN[letter] ? `write ${FOREIGN[letter]} for ${letter}` : `${letter} means nothing here`;
}

function unquoted(text) {
  return text.slice(1, -1).replace(/\\(.)/g, "$1");
}
