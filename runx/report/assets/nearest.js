// Suggestions for an unknown name, by the similarity of Python's difflib.

const MOST_SHOWN = 20;
const LIKE = 0.6;

/** Return which name was probably meant, or which there are. */
export function remedy(unknown, choices) {
  const names = [...choices].sort();
  const folded = new Map(names.map((name) => [name.toLowerCase(), name]));
  let best = { likeness: LIKE, name: "" };
  for (const name of folded.keys()) {
    const likeness = similarity(name, unknown.toLowerCase());
    const isBetter = likeness === best.likeness ? name > best.name : likeness > best.likeness;
    if (isBetter) best = { likeness, name };
  }
  if (best.name) return `did you mean ${folded.get(best.name)}?`;
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
  return names.length ? `known are: ${names.slice(0, MOST_SHOWN).join(", ")}${more}` : "none is known";
}

/** Return how alike two texts are, from 0 to 1: by the letters that they share in order. */
function similarity(left, right) {
  return (2 * shared(left, right)) / (left.length + right.length);
}

/** Return the length of the longest block that two texts share, and of those before and after it. */
function shared(left, right) {
  let [begin, at, size] = [0, 0, 0];
  for (let i = 0; i < left.length; i += 1) {
    for (let j = 0; j < right.length; j += 1) {
      let length = 0;
      while (i + length < left.length && j + length < right.length && left[i + length] === right[j + length]) length += 1;
      if (length > size) [begin, at, size] = [i, j, length];
    }
  }
  if (!size) return 0;
  return size + shared(left.slice(0, begin), right.slice(0, at)) + shared(left.slice(begin + size), right.slice(at + size));
}
