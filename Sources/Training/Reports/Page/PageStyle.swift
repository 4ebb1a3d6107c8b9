/// How pages look: on screens light or dark as the reader has it, on paper light, and with breaks between sections.
enum PageStyle {
  /// The colours of lines in charts: `--c0` to `--c7`.
  static let colorCount = 8

  static let text: Markup = """
    :root {
      color-scheme: light dark;
      --ground: #ffffff; --panel: #f5f7f9; --text: #1c2128; --muted: #57606a; --rule: #d0d7de; --accent: #0a5cb8;
      --heat: #0a5cb8; --warning: #9a5b00;
      --c0: #0072b2; --c1: #d55e00; --c2: #007a5a; --c3: #b1478a; --c4: #8a6d00; --c5: #3f93c9; --c6: #6a4fa3; --c7: #5f666d;
    }
    @media screen and (prefers-color-scheme: dark) {
      :root {
        --ground: #14181d; --panel: #1d232a; --text: #e4e8ec; --muted: #a0a9b3; --rule: #39424c; --accent: #74b3ff;
        --heat: #74b3ff; --warning: #e5ae55;
        --c0: #5db4ee; --c1: #ff9250; --c2: #42c79f; --c3: #ec93c6; --c4: #dcc04a; --c5: #9ad2f5; --c6: #b9a2ee;
        --c7: #aab2ba;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0 auto; max-width: 78rem; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 3rem; background: var(--ground);
      color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
    }
    h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 0.4rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.3rem; margin: 0 0 0.7rem; padding-top: 0.9rem; border-top: 1px solid var(--rule); }
    h3 { font-size: 1.05rem; margin: 1.4rem 0 0.5rem; }
    section { margin-top: 2rem; }
    p { max-width: 62rem; margin: 0.5rem 0; }
    a { color: var(--accent); }
    header p, footer p, figcaption, caption, .note { color: var(--muted); }
    footer { margin-top: 2.5rem; border-top: 1px solid var(--rule); font-size: 0.875rem; }
    nav ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 0.2rem 1rem; margin: 1rem 0 0;
      padding: 0.7rem 1rem 0.7rem 2.4rem; background: var(--panel); border-radius: 6px; }
    .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0.55rem 1.5rem; margin: 0; }
    .facts div { min-width: 0; }
    .facts dt { color: var(--muted); font-size: 0.8125rem; }
    .facts dd { margin: 0; overflow-wrap: anywhere; }
    .missing, .notices { background: var(--panel); border-left: 4px solid var(--rule); padding: 0.6rem 0.9rem; margin: 0.8rem 0;
      max-width: 62rem; overflow-wrap: anywhere; }
    .notices { border-left-color: var(--warning); padding-left: 2rem; }
    .tiles { display: flex; flex-wrap: wrap; gap: 0.6rem; margin: 0.6rem 0 1rem; }
    .tiles div { background: var(--panel); border-radius: 6px; padding: 0.5rem 0.9rem; min-width: 7rem; }
    .tiles b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
    .tiles span { color: var(--muted); font-size: 0.8125rem; }
    .scroll { overflow-x: auto; max-width: 100%; }
    table { border-collapse: collapse; margin: 0.6rem 0 1rem; font-size: 0.9375rem; }
    caption { text-align: left; padding: 0.2rem 0; font-size: 0.875rem; }
    th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top;
      overflow-wrap: anywhere; }
    thead th { color: var(--muted); font-weight: 600; white-space: nowrap; }
    tbody th { font-weight: 400; min-width: 7rem; max-width: 42rem; }
    .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .meter { display: inline-block; width: 9rem; height: 0.7rem; background: var(--panel); vertical-align: middle; }
    .meter i { display: block; height: 100%; background: var(--c0); }
    figure { margin: 0; min-width: 0; }
    figcaption { font-size: 0.875rem; margin-bottom: 0.25rem; overflow-wrap: anywhere; }
    figcaption b { color: var(--text); font-size: 1rem; }
    .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(29rem, 100%), 1fr)); gap: 1.6rem 2rem;
      margin: 0.8rem 0; }
    .small-charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 0.9rem 1rem;
      margin: 0.8rem 0; }
    .small-charts figcaption { font-size: 0.8125rem; line-height: 1.3; }
    svg { display: block; width: 100%; height: auto; overflow: visible; }
    svg text { font-family: inherit; fill: var(--text); }
    svg .tick { fill: var(--muted); font-size: 13px; }
    svg .name { fill: var(--muted); font-size: 13.5px; }
    svg .grid { stroke: var(--rule); stroke-width: 1; }
    svg .resumed { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 2 4; }
    svg .line { fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; }
    svg .strong { stroke-width: 2.6; }
    svg .cell { fill: var(--heat); }
    svg .frame { fill: none; stroke: var(--rule); }
    svg .on-heat { fill: var(--ground); }
    .c0 { stroke: var(--c0); fill: var(--c0); } .c1 { stroke: var(--c1); fill: var(--c1); }
    .c2 { stroke: var(--c2); fill: var(--c2); } .c3 { stroke: var(--c3); fill: var(--c3); }
    .c4 { stroke: var(--c4); fill: var(--c4); } .c5 { stroke: var(--c5); fill: var(--c5); }
    .c6 { stroke: var(--c6); fill: var(--c6); } .c7 { stroke: var(--c7); fill: var(--c7); }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; margin: 0.3rem 0 0; padding: 0;
      font-size: 0.8125rem; color: var(--muted); }
    .legend li { display: flex; align-items: center; gap: 0.4rem; overflow-wrap: anywhere; }
    .legend svg { width: 26px; height: 10px; flex: none; }
    .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17.5rem, 100%), 1fr)); gap: 1.2rem;
      margin: 0.8rem 0; }
    .pairs { display: grid; gap: 1.4rem; margin: 0.8rem 0; }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0.4rem 0.8rem; max-width: 60rem; }
    .pair figcaption { grid-column: 1 / -1; margin: 0; }
    .pair span { color: var(--muted); font-size: 0.8125rem; }
    .pictures img, .pair img { display: block; max-width: 100%; width: auto; height: auto; border: 1px solid var(--rule); }
    .pair img { width: 100%; }
    .pictures figcaption { margin: 0.3rem 0 0; font-size: 0.8125rem; line-height: 1.4; }
    .pictures figcaption b { font-size: 0.875rem; }
    .empty { display: grid; place-items: center; aspect-ratio: 4 / 3; border: 2px dashed var(--warning); padding: 1rem;
      text-align: center; color: var(--warning); overflow-wrap: anywhere; font-size: 0.875rem; }
    pre { background: var(--panel); padding: 0.8rem; overflow-x: auto; font-size: 0.8125rem; line-height: 1.4;
      border-radius: 6px; }
    code { font-size: 0.92em; overflow-wrap: anywhere; }
    summary { cursor: pointer; color: var(--accent); }
    @media print {
      @page { size: A4; margin: 14mm; }
      body { max-width: none; padding: 0; font-size: 10pt; }
      * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
      #training, #confusion, #pictures { break-before: page; margin-top: 0; }
      section.short { break-before: auto; }
      h2, h3, caption, figcaption { break-after: avoid; }
      figure, .pair, tr, .tiles, .notices, .missing { break-inside: avoid; }
      thead { display: table-header-group; }
      .scroll { overflow: visible; }
      .charts { grid-template-columns: 1fr 1fr; gap: 1rem; }
      .pictures { grid-template-columns: repeat(3, 1fr); gap: 0.8rem; }
      .small-charts { grid-template-columns: repeat(5, 1fr); }
      pre { white-space: pre-wrap; }
      a { color: inherit; text-decoration: none; }
    }
    """
}
