// Means of what is drawn, which changes with every filter. runx/analysis/groups.py is what they are
// held to; all else that is computed of runs comes from Python with the data.

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Return the standard deviation of a sample; NaN where there is only one value. */
export function deviation(values) {
  if (values.length < 2) return NaN;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Smooth the first `length` values: an exponential mean that does not lean on its first value. */
export function smoothed(values, length, weight) {
  const found = new Float32Array(length);
  let sum = 0;
  let total = 0;
  for (let at = 0; at < length; at += 1) {
    if (Number.isFinite(values[at])) {
      sum = sum * weight + values[at];
      total = total * weight + 1;
      found[at] = sum / total;
    } else found[at] = values[at];
  }
  return found;
}
