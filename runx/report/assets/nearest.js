// What someone who wrote an unknown name probably meant, by the measure of Python's difflib.

const MOST_SHOWN = 20;
const LIKE = 0.6;

/** Say which known name was meant, or which names there are. */
export function remedy(word, known) {
  const names = [...known].sort();
  const folded = new Map(names.map((name) => [name.toLowerCase(), name]));
  let best = { likeness: LIKE, name: "" };
  for (const name of folded.keys()) {
    const likeness = similarity(name, word.toLowerCase());
    const isBetter = likeness === best.likeness ? name > best.name : likeness > best.likeness;
    if (isBetter) best = { likeness, name };
  }
  if (best.name) return `did you mean ${folded.get(best.name)}?`;
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : "";
  return names.length ? `known are: ${names.slice(0, MOST_SHOWN).join(", ")}${more}` : "none is known";
}

/** Return how alike two texts are, from 0 to 1: by the letters that they share in order. */
function similarity(one, other) {
  return (2 * shared(one, other)) / (one.length + other.length);
}

/** Count the letters of the longest block that two texts share, and of those before and after it. */
function shared(one, other) {
  let [begin, at, size] = [0, 0, 0];
  for (let i = 0; i < one.length; i += 1) {
    for (let j = 0; j < other.length; j += 1) {
      let length = 0;
      while (i + length < one.length && j + length < other.length && one[i + length] === other[j + length]) length += 1;
      if (length > size) [begin, at, size] = [i, j, length];
    }
  }
  if (!size) return 0;
  return size + shared(one.slice(0, begin), other.slice(0, at)) + shared(one.slice(begin + size), other.slice(at + size));
}
