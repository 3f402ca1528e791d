// The rack map: drawn once per layout, then only classes and texts change, so that focus and selection
// survive ticks. Every name goes through textContent or setAttribute, never through markup.
// data.halls = [{name, title, note, columns, rows: [{row, gap, cells: [[rack, column, views]]}]}]
// views = {temperature: [text, class, spoken, short text], power: [...]}
const NARROW = matchMedia("(max-width: 699px)");

function make(tag, css, text) {
  const node = document.createElement(tag);
  node.className = css;
  if (text !== undefined) node.textContent = text;
  return node;
}

function draw(root, data) {
  const map = root.querySelector(".ig-halls");
  map.replaceChildren();
  map.classList.toggle("single", data.halls.length === 1);
  map.style.setProperty("--most", Math.max(...data.halls.map((hall) => hall.columns), 1));
  for (const hall of data.halls) {
    const block = make("div", "ig-hall");
    const head = make("h3", "", hall.title);
    head.appendChild(make("span", "", hall.note));
    const grid = make("div", "ig-racks");
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-label", hall.title);
    grid.style.setProperty("--columns", hall.columns);
    for (const line of hall.rows) {
      const row = make("div", "ig-row" + (line.gap ? " gap" : ""));
      row.setAttribute("role", "row");
      row.appendChild(make("span", "ig-row-name", line.row)).setAttribute("role", "rowheader");
      for (const [rack, column] of line.cells) {
        const cell = make("div", "ig-rack");
        cell.setAttribute("role", "gridcell");
        cell.dataset.rack = rack;
        cell.style.gridColumn = String(column + 1);
        row.appendChild(cell);
      }
      grid.appendChild(row);
    }
    block.append(head, grid);
    map.appendChild(block);
  }
  const pick = root.querySelector(".ig-pick");
  pick.replaceChildren(
    ...data.halls.map((hall) => {
      const group = document.createElement("optgroup");
      group.label = hall.title;
      for (const line of hall.rows) for (const [rack] of line.cells) group.append(new Option(rack, rack));
      return group;
    }),
  );
  root.igLayout = data.layout;
}

function update(root, data) {
  const view = root.igView || "temperature";
  const heads = root.querySelectorAll(".ig-hall h3 span");
  data.halls.forEach((hall, index) => (heads[index].textContent = hall.note));
  const cells = root.igCells;
  const narrow = NARROW.matches && data.halls.some((hall) => hall.columns > 8);
  const pick = root.querySelector(".ig-pick");
  pick.setAttribute("aria-label", data.labels.pick);
  if (document.activeElement !== pick) pick.value = data.selected ?? "";
  const stop = cells.has(root.igFocus) ? root.igFocus : cells.has(data.selected) ? data.selected : cells.keys().next().value;
  for (const hall of data.halls)
    for (const line of hall.rows)
      for (const [rack, , views] of line.cells) {
        const [long, css, spoken, short] = views[view];
        const text = narrow ? short : long;
        const cell = cells.get(rack);
        const chosen = rack === data.selected;
        const name = "ig-rack " + css + (chosen ? " chosen" : "");
        if (cell.textContent !== text) cell.textContent = text;
        if (cell.className !== name) cell.className = name;
        if (cell.getAttribute("aria-label") !== spoken) cell.setAttribute("aria-label", (cell.title = spoken));
        cell.setAttribute("aria-selected", String(chosen));
        cell.tabIndex = rack === stop ? 0 : -1;
      }
  for (const button of root.querySelectorAll("[data-view]")) {
    button.textContent = data.labels[button.dataset.view];
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  root.querySelector(".ig-legend").replaceChildren(
    ...data.legend[view].map(([css, label]) => {
      const entry = make("span", "", label);
      entry.prepend(make("i", "ig-rack " + css, css.includes("q-") ? "?" : ""));
      return entry;
    }),
  );
}

function neighbour(root, from, key) {
  const cells = [...root.querySelectorAll(".ig-rack[data-rack]")];
  const box = from.getBoundingClientRect();
  const ahead = {
    ArrowRight: (b) => b.left - box.left, ArrowLeft: (b) => box.left - b.left,
    ArrowDown: (b) => b.top - box.top, ArrowUp: (b) => box.top - b.top,
  }[key];
  const across = key === "ArrowLeft" || key === "ArrowRight" ? "top" : "left";
  let best = null, least = Infinity;
  for (const cell of cells) {
    const other = cell.getBoundingClientRect();
    const step = ahead(other);
    const cost = step + 20 * Math.abs(other[across] - box[across]);
    if (step > 1 && cost < least) [best, least] = [cell, cost];
  }
  return best;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ig-floor");
  root.querySelector("h2").firstChild.textContent = data.labels.title + " ";
  root.querySelector("h2 span").textContent = data.labels.hint;
  if (root.igLayout !== data.layout) {
    draw(root, data);
    root.igCells = new Map([...root.querySelectorAll(".ig-rack[data-rack]")].map((c) => [c.dataset.rack, c]));
  }
  update(root, data);
  NARROW.onchange = () => root.isConnected && update(root, data);
  const open = (cell) => {
    root.igFocus = cell.dataset.rack;
    update(root, { ...data, selected: cell.dataset.rack });
    setTriggerValue("rack", cell.dataset.rack);
  };
  root.onclick = (event) => {
    const view = event.target.closest("[data-view]");
    const cell = event.target.closest("[data-rack]");
    if (view) {
      root.igView = view.dataset.view;
      update(root, data);
    } else if (cell) open(cell);
  };
  root.querySelector(".ig-pick").onchange = (event) => setTriggerValue("rack", event.target.value);
  root.onkeydown = (event) => {
    const cell = event.target.closest("[data-rack]");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(cell);
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = neighbour(root, cell, event.key);
      if (!next) return;
      root.igFocus = next.dataset.rack;
      cell.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  };
}
