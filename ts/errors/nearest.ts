// "Did you mean": the known names nearest to one that is unknown.

const SUGGESTIONS_MAX = 3;
const COMPARED_CHARS_MAX = 64;

/** Up to three of `known`, nearest first by edit distance; none if nothing is near. */
export function nearestNames(unknown: string, known: Iterable<string>): string[] {
  const wanted = unknown.toLowerCase();
  const limit = Math.max(2, Math.ceil(wanted.length / 2));
  const scored: { name: string; distance: number }[] = [];
  for (const name of known) {
    const lower = name.toLowerCase();
    const contained = lower.length > 2 && (wanted.includes(lower) || lower.includes(wanted));
    const distance = contained ? 1 : editDistance(wanted, lower);
    if (distance <= limit) scored.push({ name, distance });
  }
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, SUGGESTIONS_MAX).map((s) => s.name);
}

/** A sentence with the nearest names, or the empty string. */
export function didYouMean(unknown: string, known: Iterable<string>): string {
  const names = nearestNames(unknown, known).map((name) => `'${name}'`);
  if (names.length === 0) return '';
  const last = names.pop() as string;
  return ` Did you mean ${names.length === 0 ? last : `${names.join(', ')} or ${last}`}?`;
}

function editDistance(left: string, right: string): number {
  const a = left.slice(0, COMPARED_CHARS_MAX);
  const b = right.slice(0, COMPARED_CHARS_MAX);
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
