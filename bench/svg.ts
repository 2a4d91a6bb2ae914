/** Line charts as SVG text: a logarithmic axis across, a linear one up, readable on light and on dark. */

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a chart says beside its lines. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 150, top: 44, bottom: 52 };
const TICKS_UP = 5;
/** Told apart by the colour-blind, and on either background. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const short = (value: number): string =>
  new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value);

/** 1, 2 or 5 times a power of ten, not below `value`. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** The chart as the text of an SVG file. Points must have x > 0. */
export function chartSvg({ title, x, y, lines }: Chart): string {
  const all = lines.flatMap(({ points }) => points);
  const [least, most] = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))];
  const top = roundUp(Math.max(...all.map(([, value]) => value)));
  const span = Math.log(most / least) || 1;
  const across = (at: number): number =>
    MARGIN.left + (Math.log(at / least) / span) * (WIDTH - MARGIN.left - MARGIN.right);
  const up = (value: number): number =>
    HEIGHT - MARGIN.bottom - (value / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const text = (left: number, at: number, anchor: string, words: string): string =>
    `<text x="${left.toFixed(1)}" y="${at.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const parts: string[] = [];
  for (let tick = 0; tick <= TICKS_UP; tick++) {
    const value = (top * tick) / TICKS_UP;
    const at = up(value).toFixed(1);
    parts.push(`<path class="grid" d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}"/>`);
    parts.push(text(MARGIN.left - 8, up(value) + 4, 'end', short(value)));
  }
  const marks = [...new Set(all.map(([at]) => at))].sort((a, b) => a - b);
  for (const at of marks)
    parts.push(text(across(at), HEIGHT - MARGIN.bottom + 20, 'middle', short(at)));
  lines.forEach(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const path = points.map(([at, value]) => `${across(at).toFixed(1)} ${up(value).toFixed(1)}`);
    parts.push(`<path class="line" stroke="${colour}" d="M${path.join('L')}"/>`);
    for (const [at, value] of points) {
      const [left, high] = [across(at).toFixed(1), up(value).toFixed(1)];
      parts.push(`<circle cx="${left}" cy="${high}" r="3" fill="${colour}"/>`);
    }
    const key = MARGIN.top + 10 + 20 * i;
    const left = WIDTH - MARGIN.right + 14;
    parts.push(`<path class="line" stroke="${colour}" d="M${left} ${key}h18"/>`);
    parts.push(text(left + 24, key + 4, 'start', name));
  });
  parts.push(text(WIDTH / 2, 22, 'middle', title));
  parts.push(text((WIDTH - MARGIN.right + MARGIN.left) / 2, HEIGHT - 12, 'middle', x));
  parts.push(text(MARGIN.left, MARGIN.top - 12, 'middle', y));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">
<style>
svg { background: #fff; color: #222; font: 12px system-ui, sans-serif }
text { fill: currentColor }
.grid { stroke: currentColor; stroke-opacity: .15; fill: none }
.line { stroke-width: 2; fill: none }
@media (prefers-color-scheme: dark) { svg { background: #16181d; color: #ddd } }
</style>
${parts.join('\n')}
</svg>
`;
}
