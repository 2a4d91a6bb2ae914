// `npm run bench:peers`: builds what is stale, then becomes the comparison with peers.

import { become } from './steps/become.mjs';
import { ensure } from './steps/ensure.mjs';

await ensure(['ts', 'bench']);
await become('dist/bench/peers/main.js');
