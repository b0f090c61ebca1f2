// The view: what was chosen on the page. The address holds it, so that a link can be sent.

const PLAIN = new Set(["sort", "filter", "metric", "x", "group", "colour", "run", "against", "search", "theme"]);

/** Return what differs from the usual view, as the part of an address behind the #. */
export function toHash(view, usual) {
  const chosen = Object.entries(view).filter(([name, value]) => {
    return JSON.stringify(value) !== JSON.stringify(usual[name]);
  });
  const parts = chosen.map(([name, value]) => {
    const text = PLAIN.has(name) ? value : JSON.stringify(value);
    return `${name}=${encodeURIComponent(text)}`;
  });
  return parts.join("&");
}

/** Return the view of an address; what can't be read is as usual. */
export function fromHash(hash, usual) {
  const view = { ...usual };
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at);
    if (at < 0 || !Object.hasOwn(usual, name)) continue;
    try {
      const text = decodeURIComponent(part.slice(at + 1));
      const value = PLAIN.has(name) ? text : JSON.parse(text);
      if (isLike(value, usual[name])) view[name] = value;
    } catch {
      // The link was cut off: its other parts still count.
    }
  }
  return view;
}

function isLike(value, usual) {
  if (usual === null) return value === null || Array.isArray(value);
  return typeof value === typeof usual && Array.isArray(value) === Array.isArray(usual) && value !== null;
}

/** Return the store of the view; its listeners are called with what has changed, once a frame. */
export function makeStore(usual, hash) {
  const listeners = [];
  let changed = new Set();
  const store = {
    usual,
    view: fromHash(hash, usual),
    hovered: new Set(),
    set(patch) {
      store.view = { ...store.view, ...patch };
      Object.keys(patch).forEach(store.touch);
    },
    /** Highlight runs in every part of the page. */
    hover(runs) {
      const isSame = runs.length === store.hovered.size && runs.every((run) => store.hovered.has(run));
      if (isSame) return;
      store.hovered = new Set(runs);
      store.touch("hover");
    },
    touch(what) {
      if (!changed.size) requestAnimationFrame(notify);
      changed.add(what);
    },
    listen(listener) {
      listeners.push(listener);
    },
  };
  function notify() {
    const names = changed;
    changed = new Set();
    for (const listener of listeners) listener(names);
  }
  return store;
}
