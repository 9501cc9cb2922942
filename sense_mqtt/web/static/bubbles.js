"use strict";
// Devices as circles whose area is their watts. Circles push each other away and fall towards the middle.
const Bubbles = (() => {
  const NS = "http://www.w3.org/2000/svg", LEAST_W = 0.5, PADDING = 2, SHARE = 0.5;
  const svg = document.getElementById("bubbles");
  const known = new Map();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let framesLeft = 0, running = false;

  function make(id) {
    const group = document.createElementNS(NS, "g"), parts = {};
    for (const name of ["title", "circle", "text", "text"]) {
      const part = document.createElementNS(NS, name);
      parts[name === "text" && parts.text ? "watts" : name] = part;
      group.append(part);
    }
    parts.watts.setAttribute("class", "w");
    parts.text.setAttribute("dy", "-.15em");
    parts.watts.setAttribute("dy", "1em");
    svg.append(group);
    const turn = known.size * 2.4;
    return {id, group, parts, x: Math.cos(turn) * 90, y: Math.sin(turn) * 60, r: 0, goal: 0};
  }

  function fit(text, r, size) {
    const most = Math.floor(1.8 * r / (size * 0.58));
    return text.length <= most ? text : most < 3 ? "" : text.slice(0, most - 1) + "…";
  }

  function show(devices, format) {
    const drawn = devices.filter((device) => (device.power_w || 0) >= LEAST_W);
    const sum = drawn.reduce((total, device) => total + device.power_w, 0) || 1;
    const area = svg.clientWidth * svg.clientHeight * SHARE;
    const seen = new Set();
    for (const device of drawn) {
      seen.add(device.id);
      if (!known.has(device.id)) known.set(device.id, make(device.id));
      const bubble = known.get(device.id);
      const most = Math.min(svg.clientWidth, svg.clientHeight) / 2 - PADDING;
      bubble.goal = Math.min(most, Math.sqrt(area * device.power_w / sum / Math.PI));
      bubble.label = device.name;
      bubble.watts = format(device.power_w);
      bubble.group.setAttribute("class", device.kind === "virtual" ? "virtual" : "real");
      bubble.group.dataset.device = device.id;
      bubble.parts.title.textContent = `${device.name}: ${bubble.watts}`;
    }
    for (const [id, bubble] of known) if (!seen.has(id)) bubble.goal = 0;
    framesLeft = 90;
    if (still.matches) { for (let i = 0; i < 90; i++) step(1); draw(); return; }
    if (!running) { running = true; requestAnimationFrame(move); }
  }

  function move() {
    step(0.15);
    draw();
    running = --framesLeft > 0;
    if (running) requestAnimationFrame(move);
  }

  function step(ease) {
    const all = [...known.values()], wide = svg.clientWidth / 2, high = svg.clientHeight / 2;
    const pull = wide > high ? [0.004, 0.012] : [0.012, 0.006];
    for (const one of all) {
      one.r += (one.goal - one.r) * ease;
      one.x -= one.x * pull[0];
      one.y -= one.y * pull[1];
    }
    for (let i = 0; i < all.length; i++) for (let j = i + 1; j < all.length; j++) part(all[i], all[j]);
    for (const one of all) {
      one.x = Math.max(one.r - wide, Math.min(wide - one.r, one.x));
      one.y = Math.max(one.r - high, Math.min(high - one.r, one.y));
    }
  }

  function part(a, b) {
    const dx = b.x - a.x || 0.1, dy = b.y - a.y || 0.1, distance = Math.hypot(dx, dy);
    const overlap = a.r + b.r + PADDING - distance;
    if (overlap <= 0) return;
    const mass = a.r * a.r + b.r * b.r || 1, by = overlap / distance * 0.5;
    a.x -= dx * by * b.r * b.r / mass; a.y -= dy * by * b.r * b.r / mass;
    b.x += dx * by * a.r * a.r / mass; b.y += dy * by * a.r * a.r / mass;
  }

  function draw() {
    for (const [id, bubble] of known) {
      if (bubble.goal === 0 && bubble.r < 1) { bubble.group.remove(); known.delete(id); continue; }
      const x = bubble.x + svg.clientWidth / 2, y = bubble.y + svg.clientHeight / 2;
      bubble.group.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      bubble.parts.circle.setAttribute("r", Math.max(0, bubble.r).toFixed(1));
      const isReadable = bubble.r > 18 && fit(bubble.watts, bubble.r, 13.5) === bubble.watts;
      bubble.parts.text.textContent = isReadable ? fit(bubble.label, bubble.r, 13) : "";
      bubble.parts.watts.textContent = isReadable ? bubble.watts : "";
    }
  }

  return {show};
})();
