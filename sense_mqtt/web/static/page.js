"use strict";
const $ = (id) => document.getElementById(id);
const EVENTS_MOST = 1000, LISTED_MOST = 200, WORDS = {
  turned_on: "on", turned_off: "off", idle: "idle", cycle_finished: "finished", device_found: "found by Sense",
  device_renamed: "renamed", device_merged: "merged", device_removed: "removed", monitor_online: "Monitor online",
  monitor_offline: "Monitor offline",
};
let now = null, events = [], history = {start: 0, power: [], solar: []}, bridge = null, source = null, loginStep = "password";
let monitor = new URLSearchParams(location.search).get("monitor") || "";

const watts = (w) => (Math.abs(w) >= 10000 ? `${(w / 1000).toFixed(1)} kW` : `${Math.round(w).toLocaleString()} W`);
const zone = () => (now && now.time_zone) || undefined;
function clockOf(options) {
  try { return new Intl.DateTimeFormat(undefined, {timeZone: zone(), hourCycle: "h23", ...options}); }
  catch { return new Intl.DateTimeFormat(undefined, {hourCycle: "h23", ...options}); }
}
const hourMinute = (s) => clockOf({hour: "2-digit", minute: "2-digit"}).format(s * 1000);
const nowS = () => (now && now.online && now.time) || Date.now() / 1000;

const count = (number) => (number || 0).toLocaleString();

// --- the house now

function showNow() {
  $("title").textContent = now.name;
  document.title = `${now.power === undefined ? "" : watts(now.power) + " · "}${now.name}`;
  tile("house", now.power, now.frequency === undefined ? "" : `${now.frequency.toFixed(2)} Hz`);
  tile("solar", now.solar_power, now.solar_share === undefined ? "" : `covers ${now.solar_share} %`);
  const grid = now.grid_power;
  tile("grid", grid === undefined ? undefined : Math.abs(grid), grid < 0 ? "exported" : "imported");
  $("solar").dataset.flow = now.solar_power > 0 ? "→" : " ";
  if (grid === undefined) delete $("house").dataset.flow;
  else $("house").dataset.flow = grid < 0 ? "→" : "←";
  showSun();
  const devices = [...now.devices].sort((a, b) => (b.power_w || 0) - (a.power_w || 0));
  Bubbles.show(devices, watts);
  showTable(devices);
}

function tile(id, value, more) {
  $(id).hidden = value === undefined && id !== "house";
  $(id).querySelector("b").textContent = value === undefined ? "–" : watts(value);
  $(id).querySelector(".more").textContent = more;
}

function showSun() {
  const said = [];
  if (now.sky && now.sky !== "unknown") said.push(`Sky: ${now.sky}.`);
  if (now.expected_solar_power) said.push(`A clear sky gives ${watts(now.expected_solar_power)} now.`);
  if (now.surplus_power) said.push(`Surplus: ${watts(now.surplus_power)}${now.surplus ? ", and has been for a while" : ""}.`);
  const day = now["energy/day"];
  if (day && day.consumption_kwh !== undefined) said.push(`Today: ${day.consumption_kwh.toFixed(1)} kWh used` +
    (day.production_kwh === undefined ? "." : `, ${day.production_kwh.toFixed(1)} kWh produced.`));
  $("sun").textContent = said.join(" ");
  $("sun").hidden = !said.length;
}

function cells(row, texts) {
  texts.forEach((text, index) => {
    const cell = document.createElement(index ? "td" : "th");
    if (!index) cell.scope = "row";
    if (index > 1) cell.className = "number";
    cell.textContent = text;
    row.append(cell);
  });
  return row;
}

function showTable(devices) {
  if (!$("table").open) return;
  $("devices").replaceChildren(...devices.map((device) => cells(document.createElement("tr"), [
    device.name, device.running ? "running" : device.on === undefined ? "" : device.on ? "on" : "off",
    device.power_w === undefined ? "" : Math.round(device.power_w),
    device.today_kwh === undefined ? "" : device.today_kwh.toFixed(2)])));
}
$("table").addEventListener("toggle", () => now && showNow());

// --- the last 24 hours

function runs() {
  const spans = new Map(), end = nowS();
  const of = (event) => {
    if (!spans.has(event.device)) spans.set(event.device, {name: event.name || event.device, spans: [], on: null});
    return spans.get(event.device);
  };
  for (const event of [...events].sort((a, b) => (a.time < b.time ? -1 : 1))) {
    if (event.device === undefined) continue;
    const time = Date.parse(event.time) / 1000, row = of(event);
    if (event.event_type === "turned_on") row.on ??= time;
    else if (event.event_type === "turned_off" || event.event_type === "idle") {
      const from = row.on ?? (event.duration_s ? time - event.duration_s : null);
      if (from !== null) row.spans.push([from, time]);
      row.on = null;
    }
  }
  for (const device of now ? now.devices : []) {
    if (device.on && device.last_on) of({device: device.id, name: device.name}).on ??= device.last_on;
  }
  for (const row of spans.values()) if (row.on !== null) row.spans.push([row.on, end]);
  const length = (row) => row.spans.reduce((sum, [from, to]) => sum + to - from, 0);
  return [...spans.values()].filter((row) => row.spans.length).sort((a, b) => length(b) - length(a));
}
function showDay() {
  document.querySelector(".legend .solar").hidden = !history.solar.length;
  Plot.show(history, runs(), nowS(), hourMinute);
}

async function readHistory() {
  try {
    const response = await fetch(`api/history?monitor=${encodeURIComponent(monitor)}`);
    if (response.ok) history = {start: 0, power: [], solar: [], ...await response.json()};
    showDay();
  } catch { /* the stream tells that the bridge is away */ }
}

// --- events

function describe(event) {
  const word = WORDS[event.event_type] || event.event_type, parts = [event.name ? `${event.name} ${word}` : word];
  if (event.power_w !== undefined && event.event_type === "turned_on") parts.push(watts(event.power_w));
  if (event.duration_s !== undefined) parts.push(`after ${duration(event.duration_s)}`);
  if (event.energy_kwh !== undefined) parts.push(`${event.energy_kwh} kWh`);
  return parts.join(", ");
}
const duration = (s) => (s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` :
  s < 172800 ? `${(s / 3600).toFixed(1)} h` : `${Math.floor(s / 86400)} days`);

function item(event) {
  const line = document.createElement("li"), time = document.createElement("time"), text = document.createElement("span");
  time.dateTime = event.time;
  time.textContent = clockOf({weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit"})
    .format(new Date(event.time));
  text.textContent = describe(event);
  line.append(time, text);
  return line;
}

const isShown = (event) => !$("filter").value || event.device === $("filter").value;
function showEvents() {
  const chosen = events.filter(isShown).slice(-LISTED_MOST).reverse();
  $("list").replaceChildren(...chosen.map(item));
  showFilter();
}

function showFilter() {
  const names = new Map(events.filter((event) => event.device !== undefined).map((event) => [event.device, event.name || event.device]));
  const filter = $("filter"), chosen = filter.value;
  if (filter.options.length === names.size + 1) return;
  const options = [...names].sort((a, b) => a[1].localeCompare(b[1])).map(([id, name]) => new Option(name, id));
  filter.replaceChildren(new Option("all devices", ""), ...options);
  filter.value = names.has(chosen) ? chosen : "";
}
$("filter").addEventListener("change", showEvents);

function addEvents(added) {
  events = [...events, ...added].slice(-EVENTS_MOST);
  $("list").prepend(...added.filter(isShown).reverse().map(item));
  while ($("list").children.length > LISTED_MOST) $("list").lastChild.remove();
  showFilter();
  showDay();
}

// --- health, and the login

function showBridge() {
  const health = bridge.health;
  $("verdict").textContent = (bridge.healthy ? "Works: " : "Does not work: ") + bridge.verdict;
  $("verdict").className = bridge.healthy ? "good" : "bad";
  $("problems").querySelector("ul").replaceChildren(...bridge.problems.map((text) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
  $("problems").hidden = !bridge.problems.length;
  const figures = {
    "Version": bridge.version, "Running for": duration(health.uptime_s || 0),
    "Feed": Object.entries(health.feeds || {}).map(([id, feed]) => `${id}: ${feed}`).join(", "),
    "Login": health.auth, "Broker": bridge.broker_connected ? "connected" : "not connected",
    "Newest frame": health.last_frame && clockOf({dateStyle: "medium", timeStyle: "medium"}).format(new Date(health.last_frame)),
    "Frames, events": `${count(health.frames)}, ${count(health.events)}`, "Connections of the feed lost": health.reconnects,
    "Calls to Sense, last hour": health.rest_last_hour, "Logins, last hour": health.logins_last_hour,
    "Waiting": Object.entries(health.queues || {}).map(([name, length]) => `${name} ${length}`).join(", "),
    "Memory": health.rss_mb && `${health.rss_mb} MB`,
  };
  $("figures").replaceChildren(...Object.entries(figures).filter(([, value]) => value !== undefined && value !== "").flatMap(
    ([name, value]) => ["dt", "dd"].map((kind, index) => {
      const element = document.createElement(kind);
      element.textContent = index ? value : name;
      return element;
    })));
  $("sign-out").hidden = !bridge.password;
  showMonitors();
  showLogin();
}

function showMonitors() {
  const select = $("monitor"), ids = bridge.monitors.map((one) => String(one.id));
  $("monitors").hidden = ids.length < 2;
  if ([...select.options].map((option) => option.value).join() === ids.join()) return;
  select.replaceChildren(...bridge.monitors.map((one) => new Option(one.name, one.id)));
  select.value = ids.includes(monitor) ? monitor : now ? now.monitor : ids[0];
}
$("monitor").addEventListener("change", () => {
  monitor = $("monitor").value;
  window.history.replaceState(null, "", `?monitor=${encodeURIComponent(monitor)}`);
  connect();
});

function showLogin() {
  const accounts = bridge.login || [], select = $("login-account");
  $("login").hidden = !accounts.length;
  $("login-accounts").hidden = accounts.length < 2;
  if ([...select.options].map((option) => option.value).join() !== accounts.join())
    select.replaceChildren(...accounts.map((name) => new Option(name, name)));
}

function askFor(step) {
  loginStep = step;
  $("login-password").hidden = $("email").disabled = $("password").disabled = step === "code";
  $("login-code").hidden = step !== "code";
  $("code").required = step === "code";
  if (step === "code") $("code").focus();
}

async function post(path, document) {
  const headers = {"Content-Type": "application/json"};
  const response = await fetch(path, {method: "POST", headers, body: JSON.stringify(document)});
  if (!response.ok) throw new Error(await response.text());
  return response.status === 204 ? {} : response.json();
}

$("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("login-answer").textContent = "asking Sense …";
  const sent = loginStep === "code" ? {code: $("code").value} :
    {account: $("login-account").value, email: $("email").value, password: $("password").value};
  try {
    const answer = await post(loginStep === "code" ? "api/login/code" : "api/login", sent);
    $("code").value = "";
    askFor(answer.needs === "code" ? "code" : "password");
    if (answer.needs !== "code") $("password").value = "";
    $("login-answer").textContent = answer.text;
  } catch (error) {
    askFor("password");
    $("login-answer").textContent = error.message || "The bridge does not answer.";
  }
});
$("sign-out").addEventListener("click", async () => { await post("sign-out", {}).catch(() => {}); location.reload(); });

// --- the stream

function connect() {
  if (source) source.close();
  now = null; events = [];
  source = new EventSource(`api/stream?monitor=${encodeURIComponent(monitor)}`);
  const on = (name, take) => source.addEventListener(name, (message) => take(JSON.parse(message.data)));
  on("bridge", (document) => { bridge = document; showBridge(); });
  on("now", (document) => {
    const isFirst = now === null;
    now = document;
    if (isFirst) $("zone").textContent = now.time_zone ? `Times of ${now.time_zone}` : "Times of this device";
    if (isFirst && events.length) showEvents();
    showNow();
    showDay();
    showConnection();
  });
  on("events", (document) => { events = document; showEvents(); showDay(); });
  on("event", addEvents);
  source.onopen = () => showConnection();
  source.onerror = () => {
    showConnection("no connection to the bridge");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);
  };
  readHistory();
}

function showConnection(trouble) {
  const text = trouble || (now === null ? "waiting for Sense" : now.online ? `live, ${hourMinute(now.time)}` :
    now.time ? `no fresh frames since ${hourMinute(now.time)}` : "no frame yet");
  if ($("connection").textContent !== text) $("connection").textContent = text;
  $("connection").className = trouble || (now && !now.online) ? "bad" : "";
}

connect();
setInterval(readHistory, 60000);
