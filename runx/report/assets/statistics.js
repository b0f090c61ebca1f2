// Means of what is drawn, which changes with every filter; they are tested to equal those of
// runx/analysis/groups.py. All else that is computed of runs comes from Python with the data.

import { FUNCTIONS } from "./arithmetic.js";
import { shortNumber } from "./numbers.js";

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

/** Return the mean and deviation of a group as text, with the digits that the deviation leaves. */
export function rounded(values, expected) {
  const middle = mean(values);
  const std = deviation(values);
  const n = values.length === expected ? `n=${expected}` : `n=${values.length}/${expected}`;
  if (values.length < 2) return `${shortNumber(middle)} (${n})`;
  const places = Number.isFinite(std) && std ? Math.max(1 - Math.floor(Math.log10(std)), 0) : 9;
  if (places > 8 || Math.abs(middle) >= 1e7) return `${shortNumber(middle)} ± ${shortNumber(std, 2)} (${n})`;
  // Halves are rounded to the even digit, as Python does.
  const [short, spread] = [middle, std].map((value) => FUNCTIONS.round(value, places).toFixed(places));
  return `${short} ± ${spread} (${n})`;
}

/** Return the exponential means of the first `length` values, corrected at the start. */
export function smoothed(values, length, weight) {
  const means = new Float32Array(length);
  let sum = 0;
  let total = 0;
  for (let at = 0; at < length; at += 1) {
    if (Number.isFinite(values[at])) {
      sum = sum * weight + values[at];
      total = total * weight + 1;
      means[at] = sum / total;
    } else means[at] = values[at];
  }
  return means;
}
