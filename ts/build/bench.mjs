// `npm run bench`: builds what is stale, then becomes the benchmark program.

import { become } from './steps/become.mjs';
import { ensure } from './steps/ensure.mjs';

await ensure(['ts', 'bench']);
await become('dist/bench/main.js');
