// Named pieces of markup, each written only when it changed: focus and animations survive ticks, and
// the live region speaks only when its text is another one. Names in the markup are escaped by Python.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ig-box");
  root.className = "ig-box " + (data.css || "");
  const names = data.parts.map(([name]) => name);
  for (const child of [...root.children])
    if (child.dataset.part && !names.includes(child.dataset.part)) child.remove();
  data.parts.forEach(([name, markup], index) => {
    let piece = [...root.children].find((child) => child.dataset.part === name);
    if (!piece) {
      piece = document.createElement("div");
      piece.dataset.part = name;
    }
    if (root.children[index] !== piece) root.insertBefore(piece, root.children[index] || null);
    if (piece.igMarkup !== markup) {
      const held = piece.contains(document.activeElement) ? document.activeElement.dataset.act : null;
      piece.innerHTML = piece.igMarkup = markup;
      if (held) [...piece.querySelectorAll("[data-act]")].find((e) => e.dataset.act === held)?.focus();
    }
  });
  if (data.live !== undefined) {
    let live = root.querySelector(":scope > .ig-live");
    if (!live) {
      live = document.createElement("div");
      live.className = "ig-live";
      live.setAttribute("aria-live", "polite");
      root.appendChild(live);
    }
    if (live.textContent !== data.live) live.textContent = data.live;
  }
  root.onclick = (event) => {
    const target = event.target.closest("[data-act]");
    if (target) setTriggerValue("act", target.dataset.act);
  };
}
