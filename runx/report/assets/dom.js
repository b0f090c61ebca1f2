// Elements of the page. What comes from a run is always text: nothing here parses markup.

/** Return an element of attributes and children; a child that is no element is text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return an element of a drawing. */
export function svg(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Return a patch of a colour, to stand before what has that colour. */
export function swatch(colour) {
  const element = h("i", { class: "swatch", "aria-hidden": "true" });
  element.style.background = colour;
  return element;
}

/** Return a labelled select; `options` are pairs of value and text. */
export function select(label, options, value, choose) {
  const list = h("select", { onchange: () => choose(list.value) });
  fill(list, options, value);
  return { element: h("label", { class: "field" }, h("span", {}, label), list), list };
}

/** Replace the options of a select, if they have changed. */
export function fill(list, options, value) {
  const key = JSON.stringify(options);
  if (list.dataset.options !== key) {
    list.dataset.options = key;
    list.replaceChildren(...options.map(([id, text]) => h("option", { value: id }, text)));
  }
  list.value = value;
}

/** Return a button that is either pressed or not. */
export function toggle(text, label, flip) {
  return h("button", { type: "button", class: "toggle", title: label, "aria-pressed": "false", onclick: flip }, text);
}

export function press(button, isOn) {
  button.setAttribute("aria-pressed", String(Boolean(isOn)));
}

/** Download a file with the content of a blob. */
export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Download lines of values as a CSV file. */
export function saveCsv(name, lines) {
  const text = lines.map((line) => line.map(csvField).join(",")).join("\r\n");
  save(name, new Blob([`${text}\r\n`], { type: "text/csv" }));
}

function csvField(value) {
  const text = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return a function that shows lines beside the pointer; null hides them. */
export function makeTip() {
  const tip = h("div", { class: "tip", role: "status", hidden: true });
  document.body.append(tip);
  return (lines, event) => {
    tip.hidden = !lines;
    if (!lines) return;
    tip.replaceChildren(
      ...lines.map(([text, colour], nth) => {
        const line = h("div", { class: nth ? "tip-line" : "tip-head" }, text);
        if (colour) {
          line.prepend(swatch(colour));
        }
        return line;
      }),
    );
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 16 + width > innerWidth ? event.clientX - width - 12 : event.clientX + 16;
    const top = Math.min(event.clientY + 12, innerHeight - height - 8);
    tip.style.left = `${Math.max(left, 4)}px`;
    tip.style.top = `${Math.max(top, 4)}px`;
  };
}
