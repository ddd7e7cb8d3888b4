/// How a page looks: light, dark and on paper. The eight colours of a chart stay apart for colour-blind readers (neighbours in the
/// stack most of all) and have at least 3:1 against the ground (WCAG 2.2, 1.4.11); text is never drawn in them.
let pageStyle: Markup = """
    :root { color-scheme: light dark;
      --ground: #fbfaf7; --raised: #fff; --ink: #1d2430; --soft: #596272; --line: #dfdcd4; --faint: #efede7; --accent: #125a98;
      --warn: #8a4b00; --warn-ground: #fdf1dd;
      --c1: #125a98; --c2: #b0500c; --c3: #2a9a8f; --c4: #7f4a64; --c5: #a18c24; --c6: #433361; --c7: #51825b; --c8: #751e29; --c0: #868b94; }
    @media screen and (prefers-color-scheme: dark) { :root {
      --ground: #14171c; --raised: #1b1f26; --ink: #e7e9ed; --soft: #a3abb8; --line: #333a45; --faint: #242a33; --accent: #8fb4ea;
      --warn: #f2c078; --warn-ground: #33291a;
      --c1: #7f9fe0; --c2: #c0611f; --c3: #5ad3cc; --c4: #98627f; --c5: #bfae4a; --c6: #716fc0; --c7: #a2d496; --c8: #c07c74; --c0: #7d838e; } }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
    body { margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 4rem; max-width: 64rem; background: var(--ground); color: var(--ink);
      font: 1rem/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: break-word; }
    h1, h2, p, ul, ol, dl, dd { margin: 0; }
    ul, ol { padding: 0; list-style: none; }
    a { color: var(--accent); text-underline-offset: .15em; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    .soft, .unit, .meta, footer, .notes, .remark { color: var(--soft); }
    .unknown, .least { color: var(--soft); font-style: italic; font-weight: 400; }
    .brand { display: flex; align-items: center; gap: .5rem; color: var(--soft); font-size: .8125rem; letter-spacing: .08em;
      text-transform: uppercase; }
    .brand svg { fill: var(--accent); }
    h1 { margin-top: .75rem; font-size: clamp(1.6rem, 1.2rem + 2vw, 2.25rem); line-height: 1.2; letter-spacing: -.015em; font-weight: 650; }
    h1 .of { color: var(--soft); font-weight: 400; }
    .meta { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1rem; margin-top: .6rem; font-size: .875rem; }
    .mark:is(li) { padding: 0 .6rem; border: 1px solid var(--line); border-radius: 1rem; }
    .mark.open { border-color: currentColor; color: var(--warn); font-weight: 600; }
    .warning { margin-top: 1rem; padding: .6rem .9rem; border-radius: .5rem; background: var(--warn-ground); color: var(--warn);
      font-size: .9375rem; }
    .verdict { margin-top: 1.5rem; padding-left: 1rem; border-left: 3px solid var(--accent); font-size: 1.1875rem; line-height: 1.5;
      max-width: 46rem; }
    nav { margin-top: 1.5rem; font-size: .875rem; }
    nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
    nav a { color: var(--soft); text-decoration-color: var(--line); }
    section { margin-top: 3rem; padding-top: 1.25rem; border-top: 1px solid var(--line); position: relative; scroll-margin-top: 1rem; }
    h2 { font-size: 1.25rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 620; margin-bottom: 1rem; }
    p.unit { font-size: .8125rem; margin: -.75rem 0 1rem; }
    .notes, .remark { margin-top: .9rem; font-size: .875rem; max-width: 46rem; }
    .notes p + p { margin-top: .35rem; }
    .missing { padding: 1rem 1.1rem; border: 1px dashed var(--line); border-radius: .6rem; color: var(--soft); max-width: 46rem; }

    .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 14.5rem), 1fr)); gap: .9rem; }
    .tiles li { padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--raised); }
    .tiles .label { color: var(--soft); font-size: .875rem; line-height: 1.35; }
    .tiles .value { margin-top: .2rem; font-size: 1.75rem; line-height: 1.25; font-weight: 620; letter-spacing: -.015em; }
    .tiles .words, .tiles .value .least, .tiles .value .unknown { font-size: 1.0625rem; letter-spacing: 0; }
    .tiles .why { margin-top: .2rem; font-size: .8125rem; line-height: 1.4; color: var(--soft); }
    .tiles dl { margin-top: .6rem; padding-top: .55rem; border-top: 1px solid var(--faint); font-size: .8125rem; }
    .tiles dl div { display: flex; justify-content: space-between; gap: .75rem; }
    .tiles dt { color: var(--soft); white-space: nowrap; }
    .tiles dd { text-align: right; }
    .change { color: var(--soft); white-space: nowrap; padding-left: .35rem; }
    .value, .tiles dd, td, th, .count, .sum, .lost, svg text { font-variant-numeric: tabular-nums lining-nums; }

    .key { display: flex; flex-wrap: wrap; gap: .3rem 1.25rem; margin-bottom: 1.25rem; font-size: .875rem; }
    .key .sum { color: var(--soft); margin-left: .25rem; }
    .swatch { display: inline-block; width: .75rem; height: .75rem; margin-right: .45rem; border-radius: .2rem; vertical-align: -.05rem; }
    .c1 { fill: var(--c1); background: var(--c1); } .c2 { fill: var(--c2); background: var(--c2); }
    .c3 { fill: var(--c3); background: var(--c3); } .c4 { fill: var(--c4); background: var(--c4); }
    .c5 { fill: var(--c5); background: var(--c5); } .c6 { fill: var(--c6); background: var(--c6); }
    .c7 { fill: var(--c7); background: var(--c7); } .c8 { fill: var(--c8); background: var(--c8); }
    .c0 { fill: var(--c0); background: var(--c0); }
    .chart { display: block; padding: 22px 0 42px; overflow: visible; }
    .chart rect { stroke: var(--ground); stroke-width: 1; }
    .chart rect.thin, .dense rect { stroke: none !important; }
    .chart rect.upto { fill: var(--faint); stroke: var(--soft); stroke-dasharray: 3 2; }
    .chart g:hover rect { opacity: .82; }
    .chart rect:hover { opacity: 1 !important; }
    .chart .grid { stroke: var(--line); } .chart .base { stroke: var(--soft); }
    .chart text { fill: var(--soft); font-size: 12px; text-anchor: middle; }
    .chart text.mark { text-anchor: end; }
    .chart text.sum { fill: var(--ink); }

    details { margin-top: 1rem; font-size: .9375rem; }
    summary { cursor: pointer; color: var(--accent); font-size: .875rem; width: fit-content; }
    details[open] summary { margin-bottom: .75rem; }
    .scroll { overflow-x: auto; max-width: 100%; }
    table { border-collapse: collapse; min-width: 100%; font-size: .9375rem; line-height: 1.4; }
    th, td { padding: .5rem .9rem; text-align: left; vertical-align: baseline; font-weight: 400; unicode-bidi: isolate; }
    th:first-child { padding-left: 0; position: sticky; left: 0; background: var(--ground); min-width: 6rem; max-width: 16rem; }
    th:last-child, td:last-child { padding-right: 0; }
    thead th { color: var(--soft); font-size: .8125rem; vertical-align: bottom; border-bottom: 1px solid var(--soft); }
    thead .unit { font-size: .75rem; }
    tbody tr + tr > * { border-top: 1px solid var(--faint); }
    tfoot > tr > * { border-top: 1px solid var(--soft); font-weight: 620; }
    .n { text-align: right; } td.n, th.n[scope=row] { white-space: nowrap; }
    sup { line-height: 0; padding-left: .15em; font-size: .75em; }
    .reasons { margin-top: .75rem; padding-left: 1.25rem; list-style: decimal; color: var(--soft); font-size: .8125rem; max-width: 46rem; }

    .funnel { max-width: 46rem; --name: clamp(7.5rem, 30vw, 12rem); }
    .step { display: grid; grid-template-columns: var(--name) 1fr 3.5rem; align-items: center; gap: .9rem; padding: .2rem 0; }
    .track { display: block; height: 1.35rem; border-radius: .25rem; background: var(--faint); overflow: hidden; }
    .bar { display: block; height: 100%; background: var(--c1); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    .step .count { text-align: right; font-weight: 620; }
    .lost { padding: .1rem 0 .15rem calc(var(--name) + .9rem); font-size: .8125rem; color: var(--soft); }
    .lost b { color: var(--warn); font-weight: 620; }

    .sample { padding: 1.25rem 1.35rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--raised); max-width: 46rem; }
    .sample dt { color: var(--soft); font-size: .8125rem; }
    .sample dd { margin-bottom: .9rem; }
    .sample dd:last-child { margin-bottom: 0; }
    .sample table { min-width: 0; margin-top: .25rem; }
    .sample th:first-child, .sample td:first-child { padding-left: 0; background: none; position: static; }
    .sample thead th { padding-top: .1rem; padding-bottom: .2rem; border-bottom-color: var(--line); font-size: .75rem; }
    .sample td { padding-top: .3rem; padding-bottom: .3rem; }
    .sample ul { padding-left: 1.1rem; list-style: disc; }
    .sample li::marker { color: var(--soft); }
    .facts { font-size: .9375rem; max-width: 52rem; }
    .facts div { display: grid; grid-template-columns: minmax(9rem, 16rem) 1fr; gap: .25rem 1.25rem; padding: .45rem 0; }
    .facts div + div { border-top: 1px solid var(--faint); }
    .facts dt { color: var(--soft); }
    .facts dd { overflow-wrap: anywhere; }
    footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .8125rem; }

    @media (max-width: 34rem) {
      body { padding-top: 1.5rem; }
      section { margin-top: 2.25rem; }
      .tiles { gap: .6rem; }
      .tiles li { padding: .75rem .9rem; }
      .tiles .value { font-size: 1.5rem; }
      th, td { padding: .45rem .6rem; }
      .facts div { grid-template-columns: 1fr; gap: 0; }
      .step { grid-template-columns: var(--name) 1fr 2.25rem; gap: .6rem; }
      .lost { padding-left: calc(var(--name) + .6rem); }
      .sample { padding: 1rem; }
      .chart text { font-size: 11px; }
    }
    @media print {
      @page { margin: 16mm 14mm; }
      :root { --ground: #fff; --raised: #fff; }
      body { padding: 0; max-width: none; font-size: 10pt; }
      nav, summary { display: none; }
      details::details-content { content-visibility: visible; display: block; height: auto; }
      section { margin-top: 1.75rem; padding-top: .9rem; }
      h2, .tiles li, .chart, .key, tr, .funnel > li, .facts div, .sample { break-inside: avoid; }
      h2 { break-after: avoid; }
      .tiles { grid-template-columns: repeat(3, 1fr); }
      .scroll { overflow: visible; }
      table { font-size: 8.5pt; }
      tfoot { display: table-row-group; }
      th, td { padding: .3rem .5rem; }
      th:first-child { position: static; }
      .chart rect, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      a { color: inherit; text-decoration: none; }
    }
    """
