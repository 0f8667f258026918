"use strict";
// Everything on the page can be read without this script: it adds tips to numbers and to figures.
(function () {
  var tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);

  function show(lines, x, y) {
    tip.textContent = "";
    lines.forEach(function (line) {
      var row = document.createElement("div");
      row.textContent = line;
      tip.appendChild(row);
    });
    tip.hidden = false;
    var box = tip.getBoundingClientRect();
    var left = Math.min(x + 14, window.innerWidth - box.width - 8);
    var top = y + 18 + box.height > window.innerHeight ? y - box.height - 10 : y + 18;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, top) + "px";
  }

  function hide() { tip.hidden = true; }

  // A number tells the result row it was read from.
  document.addEventListener("pointerover", function (event) {
    var number = event.target.closest ? event.target.closest("[data-row]") : null;
    if (number) { show([number.getAttribute("data-row")], event.clientX, event.clientY); }
  });
  document.addEventListener("pointerout", function (event) {
    if (event.target.closest && event.target.closest("[data-row]")) { hide(); }
  });

  function answer(handler, event, item, value) {
    if (value === null || value === undefined || value === "") { hide(); return; }
    var lines = typeof value === "object"
      ? Object.keys(value).map(function (key) { return key + ": " + value[key]; })
      : [String(value)];
    show(lines, event.clientX, event.clientY);
  }

  // The still figure is replaced only once the live one has been drawn.
  function enliven(script) {
    var name = script.getAttribute("data-for");
    var still = document.querySelector('[data-figure="' + name + '"]');
    if (!still) { return Promise.resolve(); }
    var live = document.createElement("div");
    var options = { mode: "vega", renderer: "svg", actions: false, defaultStyle: false, tooltip: answer };
    return window.vegaEmbed(live, JSON.parse(script.textContent), options).then(function () {
      var drawn = live.querySelector("svg");
      if (!drawn || !still.isConnected) { return; }
      drawn.setAttribute("viewBox", "0 0 " + drawn.getAttribute("width") + " " + drawn.getAttribute("height"));
      drawn.setAttribute("aria-hidden", "true");
      drawn.style.width = "100%";
      drawn.style.height = "auto";
      drawn.style.display = "block";
      live.style.display = "block";
      still.replaceChildren(live);
    }).catch(function () { /* the still figure stays */ });
  }

  // One figure after the other, so that a long report stays responsive while its figures come alive.
  function next(waiting) {
    if (!waiting.length) { return; }
    var work;
    try { work = enliven(waiting[0]); } catch (error) { work = Promise.resolve(); }
    work.then(function () { window.setTimeout(next, 20, waiting.slice(1)); });
  }

  if (window.vegaEmbed) { next(Array.prototype.slice.call(document.querySelectorAll("script.vega"))); }
})();
