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
      const held = piece.contains(document.activeElement) ? handle(document.activeElement) : null;
      piece.innerHTML = piece.igMarkup = markup;
      if (held) [...piece.querySelectorAll(HANDLES)].find((e) => handle(e) === held)?.focus();
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
  if (root.igEpoch !== data.epoch) root.igPicked = new Set();
  root.igEpoch = data.epoch;
  recount(root);
  root.onchange = (event) => {
    const { pick } = event.target.dataset;
    if (pick === undefined) return;
    if (event.target.checked) root.igPicked.add(pick);
    else root.igPicked.delete(pick);
    recount(root);
  };
  root.onclick = (event) => {
    const target = event.target.closest("[data-act]");
    if (target) setTriggerValue("act", target.dataset.act);
    const verb = event.target.closest("[data-picked]")?.dataset.picked;
    if (verb) setTriggerValue("act", verb + ":" + allowed(root, verb).join("\n"));
  };
}

const HANDLES = "[data-act], [data-pick], [data-picked]";
const handle = ({ dataset: { act, pick, picked } }) =>
  act ? "a" + act : pick ? "p" + pick : picked ? "b" + picked : null;

// What a person picked stays picked across ticks for as long as the row can be picked.
function recount(root) {
  const picks = [...root.querySelectorAll("[data-pick]")];
  for (const pick of picks) pick.checked = root.igPicked.has(pick.dataset.pick);
  root.igPicked = new Set(picks.filter((pick) => pick.checked).map((pick) => pick.dataset.pick));
  for (const button of root.querySelectorAll("[data-picked]")) {
    const count = allowed(root, button.dataset.picked).length;
    button.disabled = !count;
    button.querySelector("i").textContent = `(${count})`;
  }
}

function allowed(root, verb) {
  return [...root.querySelectorAll("[data-pick]:checked")]
    .filter((pick) => pick.dataset.can.split(" ").includes(verb))
    .map((pick) => pick.dataset.pick);
}
