"use strict";
// The scripts come after the first paint: before it they delay what is seen at first, and no figure comes sooner.
function loadScripts() {
  for (const name of ["bubbles", "plot", "page"]) {
    const script = document.createElement("script");
    script.src = `static/${name}.js`;
    script.async = false; // they run in this order
    document.head.append(script);
  }
}
if (document.hidden) loadScripts(); // a page that is not shown is not painted
else requestAnimationFrame(() => setTimeout(loadScripts));
