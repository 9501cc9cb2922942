"use strict";
// The last 24 hours: solar as an area, the house as a line, and below them when each appliance ran.
const Plot = (() => {
  const NS = "http://www.w3.org/2000/svg", DAY = 1440, HEIGHT = 170, LEFT = 44, ROW = 22, ROWS_MOST = 14, BRIDGED_MINUTES = 2;
  const box = document.getElementById("plot"), svg = box.querySelector("svg");
  const reading = document.getElementById("reading");
  let data = {start: 0, power: [], solar: []}, runs = [], end = 0, clock = null, at = null;

  const add = (name, attributes, text) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    svg.append(element);
    return element;
  };

  function pieces(values, x, y) {
    const found = [];
    let piece = null, missing = 0;
    values.forEach((value, index) => {
      if (value === null) { if (++missing > BRIDGED_MINUTES) piece = null; return; }
      missing = 0;
      if (x(index) < LEFT) return;
      if (!piece) found.push(piece = []);
      piece.push([x(index).toFixed(1), y(value).toFixed(1)]);
    });
    return found;
  }

  function tick(most) {
    const size = 10 ** Math.floor(Math.log10(most));
    return [0.2, 0.5, 1, 2].map((part) => part * size).find((step) => most / step <= 5) || size;
  }

  function draw() {
    svg.replaceChildren();
    const width = box.clientWidth, shown = runs.slice(0, ROWS_MOST), height = HEIGHT + 22 + shown.length * ROW;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const most = Math.max(100, ...data.power.filter(Number.isFinite), ...data.solar.filter(Number.isFinite)) * 1.05;
    const begin = end - DAY;
    const atMinute = (minute) => LEFT + (minute - begin) / DAY * (width - LEFT - 4);
    const x = (index) => atMinute(data.start + index), y = (watts) => HEIGHT - watts / most * (HEIGHT - 12);
    const step = tick(most);
    for (let watts = 0; watts < most; watts += step) {
      add("line", {class: "grid", x1: LEFT, x2: width, y1: y(watts), y2: y(watts)});
      add("text", {x: LEFT - 6, y: y(watts) + 4, "text-anchor": "end"}, watts >= 1000 ? `${watts / 1000} kW` : watts);
    }
    const every = width < 500 ? 6 : 3;
    for (let hour = Math.ceil(begin / 60); hour * 60 <= end; hour++) {
      const label = clock(hour * 3600);
      if (parseInt(label, 10) % every) continue;
      add("text", {x: atMinute(hour * 60), y: HEIGHT + 16, "text-anchor": "middle"}, label);
    }
    for (const piece of pieces(data.solar, x, y)) {
      const points = piece.map((point) => point.join(",")).join(" L");
      add("path", {class: "solar", d: `M${piece[0][0]},${HEIGHT} L${points} L${piece[piece.length - 1][0]},${HEIGHT}Z`});
    }
    for (const piece of pieces(data.power, x, y)) {
      if (piece.length === 1) piece.push([+piece[0][0] + 1, piece[0][1]]);
      add("path", {class: "power", d: "M" + piece.map((point) => point.join(",")).join(" L")});
    }
    shown.forEach((row, index) => {
      const top = HEIGHT + 24 + index * ROW;
      for (const [from, to] of row.spans) {
        const left = Math.max(LEFT, atMinute(from / 60)), right = Math.min(width - 4, atMinute(to / 60));
        if (right >= left) add("rect", {class: "run", x: left, y: top + 11, width: Math.max(2, right - left), height: 6, rx: 2});
      }
      add("text", {class: "name", x: LEFT, y: top + 9}, row.name);
    });
    if (at !== null) add("line", {class: "at", x1: atMinute(at), x2: atMinute(at), y1: 8, y2: HEIGHT});
  }

  function point(minute) {
    at = Math.max(end - DAY + 1, Math.min(end, minute));
    const index = at - data.start, watts = (value) => (Number.isFinite(value) ? `${Math.round(value).toLocaleString()} W` : "not known");
    const solar = data.solar.length ? `, solar ${watts(data.solar[index])}` : "";
    const text = `${clock(at * 60)}: house ${watts(data.power[index])}${solar}`;
    reading.textContent = text;
    box.setAttribute("aria-valuenow", Math.round(at - (end - DAY)));
    box.setAttribute("aria-valuetext", text);
    draw();
  }

  box.addEventListener("pointermove", (event) => {
    const area = box.getBoundingClientRect();
    point(Math.round(end - DAY + (event.clientX - area.left - LEFT) / (area.width - LEFT - 4) * DAY));
  });
  box.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -5, ArrowRight: 5, PageUp: -60, PageDown: 60, Home: -DAY, End: DAY}[event.key];
    if (!step) return;
    event.preventDefault();
    point((at ?? end) + step);
  });
  new ResizeObserver(() => clock && draw()).observe(box);

  return {
    show(history, newRuns, nowS, format) {
      data = history; runs = newRuns; end = Math.floor(nowS / 60); clock = format;
      draw();
    },
  };
})();
