// The version of this package, as peers are told.
import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** `version` of package.json. */
export const PACKAGE_VERSION: string = (JSON.parse(text) as { version: string }).version;
