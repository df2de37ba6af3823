const RAMP = [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]];
const AT_ONCE = 12;

function colour(share) {
  const place = share * (RAMP.length - 1), low = Math.min(Math.floor(place), RAMP.length - 2), part = place - low;
  return RAMP[low].map((value, channel) => value + part * (RAMP[low + 1][channel] - value));
}

// Bilinear with aligned corners, as the boxes were drawn: the first and last cells lie on the first and last pixels.
function enlarged(map, wide, high) {
  const [channels, rows, columns] = map.shape, cells = Uint8Array.from(atob(map.data), c => c.charCodeAt(0));
  const value = (channel, y, x) => cells[(channel * rows + y) * columns + x];
  const out = new ImageData(wide, high);
  for (let y = 0; y < high; y++) for (let x = 0; x < wide; x++) {
    const v = high > 1 ? y * (rows - 1) / (high - 1) : 0, u = wide > 1 ? x * (columns - 1) / (wide - 1) : 0;
    const top = Math.floor(v), left = Math.floor(u), below = Math.min(top + 1, rows - 1), beside = Math.min(left + 1, columns - 1);
    const mix = channel => (1 - v + top) * ((1 - u + left) * value(channel, top, left) + (u - left) * value(channel, top, beside))
      + (v - top) * ((1 - u + left) * value(channel, below, left) + (u - left) * value(channel, below, beside));
    const at = 4 * (y * wide + x), share = mix(0) / 255;
    out.data.set(channels > 1 ? [mix(0), mix(1), mix(2), 255] : [...colour(share), 255 * (0.4 + 0.4 * share)], at);
  }
  return out;
}

function frame(image, shown, alt) {
  const [wide, high] = image.size;
  const node = make("div", { class: shown && shown.map ? "frame heated" : "frame", role: "img", "aria-label": alt, style: `aspect-ratio: ${wide} / ${high}` },
    make("img", { src: image.picture, alt: "" }));
  if (shown && shown.map) {
    const [x0, y0, x1, y1] = shown.map.region, scale = 160 / Math.max(wide, high);
    const canvas = make("canvas", { width: Math.max(1, Math.round(scale * (x1 - x0))), height: Math.max(1, Math.round(scale * (y1 - y0))) });
    canvas.getContext("2d").putImageData(enlarged(shown.map, canvas.width, canvas.height), 0, 0);
    const percent = (part, whole) => `${100 * part / whole}%`;
    Object.assign(canvas.style, { inset: "auto", left: percent(x0, wide), top: percent(y0, high), width: percent(x1 - x0, wide), height: percent(y1 - y0, high) });
    node.append(canvas);
  }
  const svg = make("svg", { viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const rect = ([x0, y0, x1, y1], style) => svg.append(make("rect", { class: style, x: x0, y: y0, width: x1 - x0, height: y1 - y0 }));
  if (shown) { rect(shown.box, "case"); rect(shown.box, "box"); }
  for (const box of image.truth) { rect(box, "case"); rect(box, "truth"); }
  node.append(svg);
  return node;
}

function gallery(article, data) {
  const root = article.querySelector(".gallery");
  if (!root || !data.gallery) return;
  const { images, names, rows } = data.gallery, controls = root.querySelector(".controls");
  const chosen = name => controls.querySelector(`.${name}`).value;
  const kinds = Object.fromEntries(data.kinds);
  const right = one => Boolean(one) && one.kind === "right", overlap = one => one ? one.iou : -1;
  const filters = {
    "all": () => true,
    "only-a": (a, b) => right(a) && b && !right(b),
    "only-b": (a, b) => a && !right(a) && right(b),
    "right": a => right(a),
    "wrong": a => a && !right(a),
    "none-right": (a, b, image) => !Object.values(image.rows).some(right),
    "misclassified": (a, b, image) => a && a.class !== image.label,
  };
  const orders = {
    "id": () => 0,
    "worst": (a, b) => overlap(a.rows[chosen("first")]) - overlap(b.rows[chosen("first")]),
    "best": (a, b) => overlap(b.rows[chosen("first")]) - overlap(a.rows[chosen("first")]),
    "apart": (a, b) => apart(b) - apart(a),
    "class": (a, b) => names[a.label].localeCompare(names[b.label]),
  };
  const apart = image => Math.abs(overlap(image.rows[chosen("first")]) - overlap(image.rows[chosen("second")]));
  const labels = [...new Set(images.map(image => image.label))].sort((a, b) => names[a].localeCompare(names[b]));
  controls.querySelector(".class").append(...labels.map(label => make("option", { value: label }, names[label])));
  let start = 0;

  function panel(image, row) {
    const one = image.rows[row];
    if (!one) return make("figure", { class: "panel" }, make("figcaption", {}, make("b", {}, row), "not recorded"));
    const own = chosen("shown") === "label" && one.class !== image.label ? one.label : one;
    const ok = own === one ? right(one) : own && own.hit;
    const name = own === one ? names[one.class] + (one.score === null ? "" : ` ${Math.round(100 * one.score)}\u00a0%`) : names[image.label];
    const what = own === one ? (one.kind === "right" ? "right" : kinds[one.kind]) : (ok ? "box right" : "box wrong");
    const told = own ? `${what}, IoU ${own.iou.toFixed(3)}` : "no map of this class";
    const alt = `${row}: ${name}, ${told}${own && own.map ? ", heatmap shown" : ""}`;
    return make("figure", { class: "panel", "data-row": row, "data-iou": one.iou }, frame(image, own, alt),
      make("figcaption", {}, make("b", {}, row), `${name} `, make("span", { class: ok ? "yes" : "no" }, `${ok ? "✓" : "✗"} ${told}`),
        own && !own.map ? make("span", { class: "dim" }, ", map not stored") : ""));
  }

  function draw() {
    const by = filters[chosen("filter")], kind = chosen("filter").replace("kind:", ""), label = chosen("class");
    const found = images.filter(image => {
      const a = image.rows[chosen("first")], b = image.rows[chosen("second")];
      return (label === "" || String(image.label) === label) && (by ? by(a, b, image) : a && a.kind === kind);
    }).sort(orders[chosen("order")]);
    start = Math.min(start, Math.max(0, Math.floor((found.length - 1) / AT_ONCE) * AT_ONCE));
    const page = found.slice(start, start + AT_ONCE);
    root.querySelector(".count").textContent = found.length ? `${found.length} of ${images.length} images; ${start + 1} to ${start + page.length} shown` : "no image is like this";
    root.querySelector(".cards").replaceChildren(...page.map(image => make("article", { class: "card", "data-id": image.id },
      make("h3", {}, `${names[image.label]} `, make("span", { class: "dim" }, image.id)),
      make("div", { class: "panels" },
        make("figure", { class: "panel" }, frame(image, null, `${image.id}: ${names[image.label]}, with ${image.truth.length} annotated ${image.truth.length === 1 ? "box" : "boxes"}`), make("figcaption", {}, make("b", {}, "image and ground truth"))),
        ...rows.map(row => panel(image, row))))));
    root.querySelector(".back").disabled = start === 0;
    root.querySelector(".next").disabled = start + AT_ONCE >= found.length;
  }
  function turn(by) { start += by; draw(); root.scrollIntoView({ block: "start" }); }
  controls.addEventListener("submit", event => event.preventDefault());
  controls.addEventListener("change", () => { start = 0; draw(); });
  root.querySelector(".back").addEventListener("click", () => turn(-AT_ONCE));
  root.querySelector(".next").addEventListener("click", () => turn(AT_ONCE));
  for (const button of article.querySelectorAll(".show-pair")) button.addEventListener("click", () => {
    controls.querySelector(".first").value = button.dataset.first;
    controls.querySelector(".second").value = button.dataset.second;
    controls.querySelector(".filter").value = "only-a";
    start = 0;
    draw();
    root.scrollIntoView({ block: "start" });
    root.querySelector(".filter").focus({ preventScroll: true });
  });
  draw();
}

for (const article of document.querySelectorAll(".chapter")) {
  const data = JSON.parse(article.querySelector("script.data").textContent);
  slider(article, data);
  classes(article, data);
  gallery(article, data);
}
