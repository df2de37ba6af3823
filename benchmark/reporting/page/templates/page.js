"use strict";
// The page's numbers come from the script elements of class "data"; each is a text as it was printed by Python.

function make(tag, attributes = {}, ...children) {
  const space = ["svg", "rect"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const node = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function slider(article, data) {
  const input = article.querySelector(".slider input");
  if (!input) return;
  const output = article.querySelector(".slider output"), reset = article.querySelector(".reset");
  const cells = [...article.querySelectorAll("td[data-moved]")];
  const before = new Map(cells.map(td => [td, [...td.querySelectorAll(".v, .ci")].map(one => one.textContent)]));
  input.max = data.thresholds.length - 1;
  input.value = Math.max(0, data.thresholds.indexOf("0.15"));
  function show(threshold) {
    for (const td of cells) {
      const curve = (data.curves[td.dataset.row] || {})[td.dataset.metric];
      const found = threshold === null ? null : curve && curve[threshold];
      const [value, interval] = found || before.get(td);
      td.querySelector(".v").textContent = value;
      td.querySelector(".ci").textContent = interval;
      td.classList.toggle("moved", Boolean(found));
      let said = td.querySelector(".measured");
      if (said) said.remove();
      if (threshold === null) continue;
      said = found ? `measured ${before.get(td)[0]}` : curve ? `not at ${threshold}` : "no curve";
      td.querySelector(".ci").after(make("span", { class: "measured" }, said));
    }
    for (const line of article.querySelectorAll(".cursor")) {
      const x = threshold === null ? undefined : JSON.parse(line.dataset.places)[threshold];
      line.setAttribute("visibility", x === undefined ? "hidden" : "visible");
      if (x !== undefined) { line.setAttribute("x1", x); line.setAttribute("x2", x); }
    }
    output.textContent = threshold === null ? "each row's own" : threshold;
    input.setAttribute("aria-valuetext", output.textContent);
    reset.disabled = threshold === null;
  }
  input.addEventListener("input", () => show(data.thresholds[input.value]));
  reset.addEventListener("click", () => { show(null); input.focus(); });
  show(null);
}

function bar(counts, kinds) {
  const svg = make("svg", { class: "stack", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const total = counts.reduce((a, b) => a + b, 0) || 1;
  let x = 0;
  counts.forEach((count, place) => {
    if (!count) return;
    svg.append(make("rect", { class: `k-${kinds[place][0]}`, x, width: 100 * count / total, height: 10 }));
    x += 100 * count / total;
  });
  return svg;
}

function classes(article, data) {
  const root = article.querySelector(".classes");
  if (!root) return;
  const { rows, names, counts } = data.classes, which = root.querySelector(".which");
  const sum = own => own.reduce((a, b) => a + b, 0), error = own => 100 * (1 - own[0] / (sum(own) || 1));
  const heads = ["class", "images", ...rows];
  let by = 2, down = true;
  const key = (place, column) => column === 0 ? names[place] : column === 1 ? sum(counts[place][0]) : error(counts[place][column - 2]);
  function draw() {
    const order = names.map((_, place) => place).sort((a, b) => {
      const [one, other] = [key(a, by), key(b, by)];
      const less = typeof one === "string" ? one.localeCompare(other) : one - other;
      return (down ? -less : less) || a - b;
    });
    root.querySelector("thead").replaceChildren(make("tr", {}, ...heads.map((head, column) => {
      const button = make("button", { type: "button", "data-column": column }, head + (column === by ? (down ? " ▼" : " ▲") : ""));
      button.addEventListener("click", () => {
        down = column === by ? !down : column > 0;
        by = column;
        draw();
        root.querySelector(`[data-column="${column}"]`).focus();
      });
      return make("th", { scope: "col", "aria-sort": column === by ? (down ? "descending" : "ascending") : "none" }, button);
    })));
    root.querySelector("tbody").replaceChildren(...order.slice(0, Number(which.value)).map(place => make("tr", {},
      make("th", { scope: "row" }, names[place]), make("td", { class: "num" }, String(sum(counts[place][0]))),
      ...counts[place].map(own => {
        const told = own.map((count, kind) => count ? `${data.kinds[kind][1]} ${count}` : "").filter(Boolean).join(", ");
        return make("td", { class: "num bar", title: told }, error(own).toFixed(1), bar(own, data.kinds));
      }))));
  }
  which.addEventListener("change", draw);
  draw();
}
