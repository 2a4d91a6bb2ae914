// `npm start`: builds what is stale, then becomes the example program; its arguments, signals and exit code are its own.

import { become } from './steps/become.mjs';
import { ensure } from './steps/ensure.mjs';

await ensure(['ts']);
await become('dist/examples/flights/main.js');
