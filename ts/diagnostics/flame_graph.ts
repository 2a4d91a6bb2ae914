/** Folded stacks (`outer;…;inner samples` lines) as an SVG flame graph that needs no script to be read. */

const WIDTH = 1200;
const ROW = 17;
const MARGIN = 8;
const TITLE = 30;
/** Narrower frames are left out. */
const PIXELS_MIN = 0.3;
const CHAR_PIXELS = 6.6;

interface Frame {
  readonly name: string;
  samples: number;
  readonly inner: Map<string, Frame>;
}

/** Renders stacks; hovering over a frame shows its name, samples and share. */
export function flameGraph(folded: string, title: string): string {
  const root = tree(folded);
  const rows: string[] = [];
  const depth = draw(root, root.samples, 0, 0, rows);
  const height = TITLE + (depth + 1) * ROW + MARGIN;
  const flip = rows.map((row) =>
    row.replace(/@(\d+)@/g, (_, level: string) =>
      String(height - MARGIN - (Number(level) + 1) * ROW),
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="monospace" font-size="11">`,
    '<rect width="100%" height="100%" fill="#fdf6e3"/>',
    `<text x="${MARGIN}" y="20" font-size="14">${escapeXml(title)}: ${root.samples} samples</text>`,
    ...flip,
    '</svg>',
    '',
  ].join('\n');
}

function tree(folded: string): Frame {
  const root: Frame = { name: 'all', samples: 0, inner: new Map() };
  for (const line of folded.split('\n')) {
    const space = line.lastIndexOf(' ');
    const samples = Number(line.slice(space + 1));
    if (space <= 0 || !Number.isFinite(samples) || samples <= 0) continue;
    let at = root;
    at.samples += samples;
    for (const name of line.slice(0, space).split(';')) {
      let inner = at.inner.get(name);
      if (inner === undefined) {
        inner = { name, samples: 0, inner: new Map() };
        at.inner.set(name, inner);
      }
      inner.samples += samples;
      at = inner;
    }
  }
  return root;
}

/** Adds a frame and those it called, from sample `first` on; gives the deepest level reached. */
function draw(frame: Frame, all: number, first: number, level: number, rows: string[]): number {
  const scale = all === 0 ? 0 : (WIDTH - 2 * MARGIN) / all;
  const width = frame.samples * scale;
  if (width < PIXELS_MIN) return level;
  const x = MARGIN + first * scale;
  const share = all === 0 ? 0 : (100 * frame.samples) / all;
  const about = `${frame.name}: ${frame.samples} samples, ${share.toFixed(1)} %`;
  const letters = Math.floor((width - 4) / CHAR_PIXELS);
  const label = letters < 3 ? '' : shorten(frame.name, letters);
  rows.push(
    `<g><title>${escapeXml(about)}</title><rect x="${x.toFixed(1)}" y="@${level}@" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colour(frame.name)}"/>` +
      `<text x="${(x + 2).toFixed(1)}" y="@${level}@" dy="12">${escapeXml(label)}</text></g>`,
  );
  let deepest = level;
  let at = first;
  for (const inner of [...frame.inner.values()].sort((a, b) => a.name.localeCompare(b.name))) {
    deepest = Math.max(deepest, draw(inner, all, at, level + 1, rows));
    at += inner.samples;
  }
  return deepest;
}

/** The end of a path says most. */
function shorten(name: string, letters: number): string {
  return name.length <= letters ? name : `..${name.slice(name.length - letters + 2)}`;
}

/** Warm colours, equal for equal names. */
function colour(name: string): string {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return `hsl(${20 + (hash % 35)},${70 + ((hash >>> 8) % 20)}%,${60 + ((hash >>> 16) % 15)}%)`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
