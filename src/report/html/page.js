"use strict";
(() => {
  const all = (at, what) => Array.from(at.querySelectorAll(what));
  const folded = all(document, "details");

  // Paper can't be unfolded.
  let shut = [];
  addEventListener("beforeprint", () => {
    shut = folded.filter((one) => !one.open);
    shut.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    shut.forEach((one) => { one.open = false; });
    shut = [];
  });

  const bar = document.getElementById("filters");
  if (!bar) return;
  const controls = ["q", "state", "role", "risk"].map((id) => document.getElementById(id)).filter(Boolean);
  const matches = document.getElementById("matches");
  const RISKS = ["low", "medium", "high", "critical"];
  // Beyond so many accounts, units stay as they are: unfolding them all helps nobody.
  const UNFOLDED = 400;

  const units = new Map(all(document, "details.unit").map((at) => [at, { at, open: at.open, shown: 0 }]));
  const details = all(document, "details.detail").map((at) => ({
    at,
    open: at.open,
    state: at.dataset.state,
    role: at.dataset.column,
    risk: RISKS.indexOf(at.dataset.tone),
    title: at.dataset.title,
    // A result begins with the sign of its change.
    address: "/" + at.dataset.title.replace(/^\S /, "").replace(" ", "/").toLowerCase(),
    text: null,
  }));
  const tables = all(document, ".tree table").map((at) => {
    const box = at.parentElement;
    const unit = units.get(at.closest("details.unit"));
    const roles = all(at, "thead th").slice(1).map((head) => head.textContent);
    const path = unit.at.dataset.path.toLowerCase();
    const rows = Array.from(at.tBodies[0].rows, (row) => ({
      row,
      id: row.id.slice(1),
      text: row.cells[0].textContent.toLowerCase() + " " + path,
      cells: Array.from(row.cells).slice(1).map((cell, number) => {
        const [state, tone] = cell.className.split(" ");
        return { state, role: roles[number], risk: RISKS.indexOf(tone) };
      }),
      details: (row.dataset.d || "").split(" ").filter(Boolean).map((number) => details[number]).filter(Boolean),
    }));
    return { box, unit, rows };
  });
  const count = tables.reduce((sum, table) => sum + table.rows.length, 0);

  const wanted = () => {
    const value = (id) => document.getElementById(id)?.value || "";
    return {
      q: value("q").trim().toLowerCase(),
      state: value("state"),
      role: value("role"),
      risk: RISKS.indexOf(value("risk")),
    };
  };
  const fits = (want, one) =>
    (!want.state || one.state === want.state) &&
    (!want.role || one.role === want.role) &&
    (want.risk < 0 || one.risk >= want.risk);

  // Shows what is wanted: an account when a cell or a detail of it fits, a detail when it or an account of it does.
  const filter = () => {
    const want = wanted();
    const active = Boolean(want.q || want.state || want.role || want.risk >= 0);
    const { q } = want;
    const shownDetails = new Set();
    let shown = 0;
    units.forEach((unit) => { unit.shown = 0; });
    const finds = (row, detail) =>
      detail.title.toLowerCase().includes(q) ||
      (row.id + detail.address).includes(q) ||
      (q.startsWith("org/") && ("org" + detail.address).includes(q));
    for (const table of tables) {
      let inTable = 0;
      for (const row of table.rows) {
        const named = !q || row.text.includes(q);
        let show = !active || (named && row.cells.some((cell) => fits(want, cell)));
        for (const detail of row.details) {
          if (fits(want, detail) && (named || finds(row, detail))) {
            show = true;
            shownDetails.add(detail);
          }
        }
        if (row.row.hidden === show) row.row.hidden = !show;
        if (show) inTable += 1;
      }
      table.box.hidden = inTable === 0;
      shown += inTable;
      for (let unit = table.unit; unit; unit = units.get(unit.at.parentElement.closest("details.unit"))) unit.shown += inTable;
    }
    let things = 0;
    for (const detail of details) {
      let show = !active || shownDetails.has(detail);
      if (!show && q && fits(want, detail)) {
        detail.text ??= detail.at.textContent.toLowerCase();
        show = detail.text.includes(q);
      }
      if (detail.at.hidden === show) detail.at.hidden = !show;
      if (show) things += 1;
    }
    units.forEach((unit) => {
      unit.at.hidden = active && unit.shown === 0;
      if (!active) unit.at.open = unit.open;
      else if (shown <= UNFOLDED) unit.at.open = true;
    });
    const number = (value) => value.toLocaleString("en");
    const ofThings = details.length ? ` and ${number(things)} of ${number(details.length)} ${bar.dataset.things}` : "";
    matches.textContent = `${number(shown)} of ${number(count)} accounts${ofThings} match`;
  };

  // The fragment holds the filters, so that a link shows the same; a fragment without "=" names a place.
  const toFragment = () => {
    const said = new URLSearchParams(controls.filter((one) => one.value).map((one) => [one.id, one.value]));
    history.replaceState(null, "", "#" + said);
  };
  const fromFragment = () => {
    const fragment = location.hash.slice(1);
    if (fragment && !fragment.includes("=")) {
      let hidden = document.getElementById(fragment)?.closest("[hidden]");
      const found = hidden && document.getElementById(fragment);
      for (; hidden; hidden = found.closest("[hidden]")) hidden.hidden = false;
      if (found) found.scrollIntoView();
      return;
    }
    const said = new URLSearchParams(fragment);
    controls.forEach((one) => {
      one.value = said.get(one.id) || "";
      if (one.selectedIndex === -1) one.value = "";
    });
    filter();
  };
  let waiting = 0;
  const changed = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      filter();
      toFragment();
    });
  };
  controls.forEach((one) => one.addEventListener("input", changed));
  bar.addEventListener("click", (event) => {
    const { id } = event.target;
    if (id === "reset") {
      controls.forEach((one) => { one.value = ""; });
      changed();
    }
    if (id === "unfold" || id === "fold") {
      folded.forEach((one) => { if (!one.hidden) one.open = id === "unfold"; });
    }
  });
  addEventListener("hashchange", fromFragment);
  bar.hidden = false;
  fromFragment();
  if (!matches.textContent) filter();
})();
