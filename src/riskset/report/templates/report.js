"use strict";
// Everything on the page can be read without this script: it adds tips to numbers and to figures. It computes nothing:
// what a tip says stands, printed already, in the data beside its figure; the script only looks up the place.
(function () {
  var tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);
  var clearMarks = function () {};

  function show(lines, x, y) {
    tip.replaceChildren.apply(tip, lines.map(function (line) {
      var row = document.createElement("div");
      row.textContent = line;
      return row;
    }));
    tip.hidden = false;
    var box = tip.getBoundingClientRect();
    var left = x + 14 + box.width > window.innerWidth ? x - box.width - 14 : x + 14;
    var top = y + 18 + box.height > window.innerHeight ? y - box.height - 10 : y + 18;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, top) + "px";
  }

  function hide() { tip.hidden = true; clearMarks(); clearMarks = function () {}; }

  function shape(parent, name, attributes) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    return parent.appendChild(made);
  }

  // The last of `steps` (which ascend by their first member) that lies at or before a place.
  function stepAt(steps, place) {
    var found = null;
    for (var k = 0; k < steps.length && steps[k][0] <= place; k += 1) { found = steps[k]; }
    return found;
  }

  // Both kinds of figure give: the number of places, the place under a point of the plot, and how one place is shown
  // (marks are drawn into `layer`; the lines of the tip and the point beside which it stands are given back).
  var kinds = {
    curves: function (data) {
      return {
        start: 0, last: data.end,
        // Looked up at the very time that the tip prints.
        at: function (point) {
          var outside = point.x < -4 || point.x > data.width + 4 || point.y < 0;
          return outside ? null : Math.round(point.x / data.width * data.end * 10) / 10;
        },
        draw: function (layer, months) {
          var x = months / data.end * data.width, lines = [months.toFixed(1) + " months"];
          shape(layer, "line", { x1: x, x2: x, y1: 0, y2: data.height, stroke: "#555", "stroke-dasharray": "2 2" });
          data.groups.forEach(function (group) {
            var step = months <= group.end ? stepAt(group.steps, months) : null, risk = stepAt(group.risk, months);
            lines.push(group.name + ": " + (step ? step[2] : "follow-up has ended") + (risk && step ? "; at risk " + risk[1] : ""));
            if (step) { shape(layer, "circle", { cx: x, cy: (1 - step[1]) * data.height, r: 3.5, fill: group.colour, stroke: "white" }); }
          });
          return { lines: lines, x: x, y: data.height / 2 };
        }
      };
    },
    lines: function (data) {
      return {
        start: 0, last: data.lines.length - 1,
        at: function (point) { var k = Math.floor(point.y / data.step); return data.lines[k] ? k : null; },
        draw: function (layer, k) {
          shape(layer, "rect", { x: data.left, y: k * data.step, width: data.right - data.left, height: data.step, fill: "#0072B2", "fill-opacity": 0.1 });
          return { lines: data.lines[k], x: data.width / 2, y: (k + 0.5) * data.step };
        }
      };
    }
  };

  function enliven(script) {
    var box = script.parentNode.querySelector(".drawing"), svg = box && box.querySelector("svg");
    var frame = svg && svg.querySelector(".role-frame"), data = JSON.parse(script.textContent);
    if (!frame || !kinds[data.kind]) { return; }
    var figure = kinds[data.kind](data), layer = shape(frame, "g", { "pointer-events": "none" }), place = null;
    function clear() { layer.replaceChildren(); }
    function go(wanted, pointer) {
      hide();
      place = Math.max(figure.start, Math.min(figure.last, wanted));
      var shown = figure.draw(layer, place), matrix = frame.getScreenCTM();
      clearMarks = clear;
      var beside = pointer || { x: matrix.a * shown.x + matrix.e, y: matrix.d * shown.y + matrix.f };
      show(shown.lines, beside.x, beside.y);
    }
    function follow(event) {
      var matrix = frame.getScreenCTM();
      var found = figure.at({ x: (event.clientX - matrix.e) / matrix.a, y: (event.clientY - matrix.f) / matrix.d });
      if (found === null) { hide(); } else { go(found, { x: event.clientX, y: event.clientY }); }
    }
    box.addEventListener("pointermove", follow);
    box.addEventListener("pointerdown", follow);
    // A finger that is lifted leaves its tip standing; the next touch elsewhere takes it away.
    box.addEventListener("pointerleave", function (event) { if (event.pointerType === "mouse") { hide(); } });
    box.addEventListener("blur", hide);
    box.addEventListener("keydown", function (event) {
      var move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
      if (move === undefined || event.ctrlKey || event.altKey || event.metaKey) { return; }
      event.preventDefault();
      go(place === null ? figure.start : move === 1 ? Math.floor(place) + 1 : Math.ceil(place) + move);
    });
    box.tabIndex = 0;
    box.setAttribute("aria-description", "Arrow keys read its values.");
  }

  // A number tells the result row it was read from.
  function numberOf(event) { return event.target.closest ? event.target.closest("[data-row]") : null; }
  document.addEventListener("pointerover", function (event) {
    var number = numberOf(event);
    if (number) { show([number.getAttribute("data-row")], event.clientX, event.clientY); }
  });
  document.addEventListener("pointerout", function (event) {
    if (event.pointerType === "mouse" && numberOf(event)) { hide(); }
  });
  document.addEventListener("pointerdown", function (event) {
    if (!numberOf(event) && !(event.target.closest && event.target.closest(".drawing"))) { hide(); }
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape") { hide(); } });

  document.querySelectorAll("script.live").forEach(enliven);
})();
