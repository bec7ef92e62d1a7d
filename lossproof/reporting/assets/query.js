// Filtering and sorting the columns: whole arrays at a time, so that a hundred thousand rows take milliseconds.

function queries(columns) {
  const rowsOf = Object.fromEntries(
    Object.entries(columns).map(([name, { rows }]) => [name, Uint32Array.from(rows)]),
  );
  const total = rowsOf.case.length;
  const SEARCHED = ["subject", "dtype", "device", "layout", "reduction", "quantity", "outcome", "message"];
  const low = (text) => String(text ?? "").toLowerCase();
  const text = columns.case.table.map((about) =>
    low(
      [
        about.case,
        about.title,
        about.loss,
        about.file + ":" + about.line,
        about.flags.join(" "),
        Object.values(about.source || {}).join(" "),
      ].join("\n"),
    ),
  );
  const texts = Object.fromEntries(SEARCHED.map((name) => [name, columns[name].table.map(low)]));

  // Each filter: its column, and a test of the entries of that column.
  const ASPECTS = {
    loss: ["case", (about, wanted) => about.loss === wanted],
    flag: ["case", (about, wanted) => about.flags.includes(wanted)],
    outcome: ["outcome", (outcome, wanted) => (wanted === ANY_FAILING ? FAILING.includes(outcome) : outcome === wanted)],
  };
  const aspect = (name) => ASPECTS[name] || [name, (value, wanted) => value === wanted];

  function mark(mask, name, hits) {
    const rows = rowsOf[name];
    for (let row = 0; row < total; row++) mask[row] |= hits[rows[row]];
  }

  // Which rows a word of the search finds; after ``case:`` stands the whole name of a case.
  function found(word) {
    const pass = new Uint8Array(total);
    if (word.startsWith("case:")) {
      mark(pass, "case", Uint8Array.from(columns.case.table, (about) => low(about.case) === word.slice(5)));
      return pass;
    }
    const has = (one) => one.includes(word);
    mark(pass, "case", Uint8Array.from(text, has));
    for (const name of SEARCHED) if (texts[name].some(has)) mark(pass, name, Uint8Array.from(texts[name], has));
    return pass;
  }

  function filtered(name, wanted) {
    const [column, test] = aspect(name);
    const pass = new Uint8Array(total);
    mark(
      pass,
      column,
      Uint8Array.from(columns[column].table, (value) => test(value, wanted)),
    );
    return pass;
  }

  // The rows that pass, in order, and the values of each filter that occur under all others.
  function select(filters) {
    const passes = [
      ...FILTERS.filter((name) => filters[name]).map((name) => [name, filtered(name, filters[name])]),
      ...unique(low(filters.search).split(/\s+/).filter(Boolean)).map((word) => ["search", found(word)]),
    ];
    const tables = FILTERS.map((name) => [name, rowsOf[aspect(name)[0]]]);
    const occurs = Object.fromEntries(
      FILTERS.map((name) => [name, new Uint8Array(columns[aspect(name)[0]].table.length)]),
    );
    const kept = new Uint32Array(total);
    let number = 0;
    for (let row = 0; row < total; row++) {
      let misses = 0,
        missed = "";
      for (const [name, pass] of passes) {
        if (pass[row]) continue;
        misses += 1;
        missed = name;
      }
      if (!misses) {
        kept[number++] = row;
        for (const [name, rows] of tables) occurs[name][rows[row]] = 1;
      } else if (misses === 1 && missed !== "search") {
        occurs[missed][rowsOf[aspect(missed)[0]][row]] = 1;
      }
    }
    return { kept: kept.subarray(0, number), values: (name) => values(name, occurs[name]) };
  }

  // The sort key of an entry of the table.
  const KEYS = { share: shareRank, case: (about) => about.case, loss: (about) => about.loss };

  function ranks(name, column) {
    const keys = columns[column].table.map(KEYS[name] || ((value) => value ?? ""));
    const places = new Map(
      unique(keys)
        .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
        .map((key, place) => [key, place]),
    );
    return { of: Uint32Array.from(keys, (key) => places.get(key)), number: places.size };
  }

  // The rows in a stable counting sort by rank.
  function arrange(kept, name, down) {
    const column = name === "loss" ? "case" : name;
    const { of, number } = ranks(name, column);
    const rank = (row) => (down ? number - 1 - of[rowsOf[column][row]] : of[rowsOf[column][row]]);
    const starts = new Uint32Array(number + 1);
    for (const row of kept) starts[rank(row) + 1] += 1;
    for (let place = 0; place < number; place++) starts[place + 1] += starts[place];
    const sorted = new Uint32Array(kept.length);
    for (const row of kept) sorted[starts[rank(row)]++] = row;
    return sorted;
  }

  const values = (name, occurs) =>
    unique(
      columns[aspect(name)[0]].table
        .filter((_, place) => occurs[place])
        .flatMap((value) => (name === "loss" ? [value.loss] : name === "flag" ? value.flags : [value])),
    )
      .filter((value) => value !== null && value !== "")
      .sort();
  const cell = (name, row) => columns[name].table[rowsOf[name][row]];

  return {
    total,
    select,
    arrange,
    cell,
    rowsOf,
    table: (name) => columns[name].table,
    caseOf: (row) => cell("case", row),
    share: (row) => cell("share", row),
    // The rows of a case, by its name; cases with one name may differ in other fields.
    ofCase: (name) => {
      const places = new Set(columns.case.table.flatMap((about, place) => (about.case === name ? [place] : [])));
      const found = [];
      if (places.size)
        rowsOf.case.forEach((place, row) => {
          if (places.has(place)) found.push(row);
        });
      return found;
    },
  };
}
